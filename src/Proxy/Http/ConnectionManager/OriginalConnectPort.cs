using System.Globalization;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The port that host normalisation took off a CONNECT target; the router puts it back.</summary>
internal sealed record OriginalConnectPort(int Port) : IFilterStateObject
{
    public const string Key = "envoy.http.original_connect_port";

    public string? SerializeAsString() => Port.ToString(CultureInfo.InvariantCulture);
}
