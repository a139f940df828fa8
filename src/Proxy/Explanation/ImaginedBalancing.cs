using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What a balancer may ask of the imagined request.</summary>
internal sealed class ImaginedBalancing(
    ImaginedConnection connection, HeaderMap? headers, StreamInfo info, ulong? hash,
    IReadOnlyList<KeyValuePair<string, MetadataValue>>? criteria, (string Address, bool Strict)? overrideHost) : ILoadBalancerContext
{
    public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria => criteria;

    public Connection? DownstreamConnection => connection;

    public HeaderMap? DownstreamHeaders => headers;

    public StreamInfo? RequestStreamInfo => info;

    public uint HostSelectionRetryCount => 1;

    public IRetryPriority? RetryPriority => null;

    public TransportSocketOptions? UpstreamTransportSocketOptions => null;

    public (string Address, bool Strict)? OverrideHostToSelect => overrideHost;

    public ulong? ComputeHashKey() => hash;

    public bool ShouldSelectAnotherHost(Host host) => false;
}
