using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What the load balancer may ask of the request.</summary>
internal sealed partial class RouterFilter : ILoadBalancerContext
{
    private List<string>? _setCookies;
    private ulong? _hash;
    private bool _hashed;
    private List<KeyValuePair<string, MetadataValue>>? _criteria;

    public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria =>
        Info.DynamicMetadata.Get("envoy.lb") is { Count: > 0 } requested
            ? _criteria ??= Merge(_route.MetadataMatch, requested)
            : _route.MetadataMatch;

    public Connection? DownstreamConnection => Callbacks.Connection;

    public HeaderMap? DownstreamHeaders => _headers;

    public StreamInfo? RequestStreamInfo => Callbacks.StreamInfo;

    public uint HostSelectionRetryCount => _isRetry && _retry is not null ? _retry.HostSelectionMaxAttempts : 1;

    public IRetryPriority? RetryPriority => _isRetry ? _retry?.Priority : null;

    public TransportSocketOptions? UpstreamTransportSocketOptions => Callbacks.UpstreamTransportSocketOptions;

    public (string Address, bool Strict)? OverrideHostToSelect => _isRetry ? null : Callbacks.UpstreamOverrideHost;

    public ulong? ComputeHashKey()
    {
        if (!_hashed)
        {
            _hashed = true;
            _hash = (Cluster.HttpOptions.Hash ?? _action.Hash)?.Hash(_headers, Info, cookie => (_setCookies ??= []).Add(cookie));
        }
        return _hash;
    }

    // What filters say of this request goes before what the route says of all of them; sorted by key.
    private static List<KeyValuePair<string, MetadataValue>> Merge(
        IReadOnlyList<KeyValuePair<string, MetadataValue>>? route, IReadOnlyDictionary<string, MetadataValue> requested)
    {
        var merged = new SortedDictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var (key, value) in route ?? [])
        {
            merged[key] = value;
        }
        foreach (var (key, value) in requested)
        {
            merged[key] = value;
        }
        return [.. merged];
    }

    // The first attempt takes whoever is chosen: predicates are for retries.
    public bool ShouldSelectAnotherHost(Host host) => _isRetry && _retry is not null && _retry.ShouldSelectAnotherHost(host);
}
