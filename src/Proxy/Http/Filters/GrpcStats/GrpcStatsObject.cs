using System.Globalization;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>Message counts of one request, for logs and metrics (`%FILTER_STATE(envoy.filters.http.grpc_stats)%`).</summary>
internal sealed class GrpcStatsObject : IFilterStateObject
{
    public const string Key = "envoy.filters.http.grpc_stats";

    public ulong Requests { get; set; }

    public ulong Responses { get; set; }

    public string SerializeAsString() => string.Create(CultureInfo.InvariantCulture, $"{Requests},{Responses}");

    public string? GetField(string name) => name switch
    {
        "request_message_count" => Requests.ToString(CultureInfo.InvariantCulture),
        "response_message_count" => Responses.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };
}
