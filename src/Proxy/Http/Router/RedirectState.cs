using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What is remembered over the internal redirects of one request; lives in the filter state.</summary>
internal sealed class RedirectState : IFilterStateObject
{
    public const string Key = "meshproxy.internal_redirect";

    public int Redirects { get; set; }

    public HashSet<(object From, object To)> VisitedRoutes { get; } = [];

    public string? SerializeAsString() => null;
}
