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

    public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria => _route.MetadataMatch;

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
            _hash = _action.Hash?.Hash(_headers, Info, cookie => (_setCookies ??= []).Add(cookie));
        }
        return _hash;
    }

    // The first attempt takes whoever is chosen: predicates are for retries.
    public bool ShouldSelectAnotherHost(Host host) => _isRetry && _retry is not null && _retry.ShouldSelectAnotherHost(host);
}
