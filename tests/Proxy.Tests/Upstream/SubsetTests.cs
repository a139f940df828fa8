using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public sealed class SubsetTests
{
    private static readonly SubsetOptions Options = new()
    {
        Fallback = SubsetFallback.None,
        DefaultSubset = new Dictionary<string, MetadataValue>(),
        Selectors = [new SubsetSelector(["stage"], SubsetFallback.NotDefined, [], false)],
    };

    [Fact]
    public void CriteriaChooseTheirHosts()
    {
        var balancer = Create(Options);
        Assert.Equal([1, 1], HostFactory.Ports(balancer, 2, new Criteria(("stage", "prod"))));
        Assert.Equal([2, 2], HostFactory.Ports(balancer, 2, new Criteria(("stage", "dev"))));
    }

    [Fact]
    public void UnknownValuesAndKeysFindNobodyWithoutFallback()
    {
        var balancer = Create(Options);
        Assert.Equal([0], HostFactory.Ports(balancer, 1, new Criteria(("stage", "none"))));
        Assert.Equal([0], HostFactory.Ports(balancer, 1, new Criteria(("other", "prod"))));
    }

    [Fact]
    public void AnyEndpointServesWhatFitsNothing()
    {
        var balancer = Create(Options with { Fallback = SubsetFallback.AnyEndpoint });
        Assert.Equal([1, 2], HostFactory.Ports(balancer, 2, new Criteria(("stage", "none"))).Order());
    }

    [Fact]
    public void ASubsetFollowsItsHosts()
    {
        var hosts = HostFactory.Priorities(HostFactory.Set(Staged(1, "prod")));
        var balancer = new SubsetFactory(Options, new RoundRobinFactory(new LoadBalancerOptions()))
            .Create(hosts, HostFactory.Environment());
        Assert.Equal([1], HostFactory.Ports(balancer, 1, new Criteria(("stage", "prod"))));
        hosts.Update([HostFactory.Set(Staged(3, "prod"))], [], []);
        Assert.Equal([3], HostFactory.Ports(balancer, 1, new Criteria(("stage", "prod"))));
        hosts.Update([HostFactory.Set()], [], []);
        Assert.Equal([0], HostFactory.Ports(balancer, 1, new Criteria(("stage", "prod"))));
    }

    private static LoadBalancer Create(SubsetOptions options) =>
        new SubsetFactory(options, new RoundRobinFactory(new LoadBalancerOptions())).Create(
            HostFactory.Priorities(HostFactory.Set(Staged(1, "prod"), Staged(2, "dev"))), HostFactory.Environment());

    private static HostImpl Staged(int port, string stage)
    {
        var metadata = new DynamicMetadata();
        metadata.Set("envoy.lb", "stage", MetadataValue.From(stage));
        return HostFactory.Host(port, metadata: metadata);
    }

    private sealed class Criteria(params (string Key, string Value)[] wanted) : ILoadBalancerContext
    {
        public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria { get; } =
            [.. wanted.Select(static one => new KeyValuePair<string, MetadataValue>(one.Key, MetadataValue.From(one.Value)))];

        public Connection? DownstreamConnection => null;

        public HeaderMap? DownstreamHeaders => null;

        public StreamInfo? RequestStreamInfo => null;

        public uint HostSelectionRetryCount => 0;

        public IRetryPriority? RetryPriority => null;

        public TransportSocketOptions? UpstreamTransportSocketOptions => null;

        public (string Address, bool Strict)? OverrideHostToSelect => null;

        public ulong? ComputeHashKey() => null;

        public bool ShouldSelectAnotherHost(Host host) => false;
    }
}
