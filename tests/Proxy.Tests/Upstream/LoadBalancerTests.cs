using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public sealed class LoadBalancerTests
{
    private static readonly LoadBalancerOptions Plain = new();

    [Fact]
    public void EqualWeightsRotate()
    {
        var balancer = new RoundRobinFactory(Plain).Create(
            HostFactory.Priorities(HostFactory.Set(HostFactory.Hosts(1, 1, 1))), HostFactory.Environment());
        Assert.Equal([1, 2, 3, 1, 2, 3], HostFactory.Ports(balancer, 6));
    }

    [Fact]
    public void WeightsAreServedInProportionAndSpread()
    {
        var balancer = new RoundRobinFactory(Plain).Create(
            HostFactory.Priorities(HostFactory.Set(HostFactory.Hosts(1, 2, 4))), HostFactory.Environment());
        var ports = HostFactory.Ports(balancer, 14);
        Assert.Equal([2, 4, 8], new[] { 1, 2, 3 }.Select(port => ports.Count(p => p == port)));
        Assert.Equal(ports[..7], ports[7..]);
    }

    [Fact]
    public void WhatWasPeekedAtIsPickedNext()
    {
        var balancer = new RoundRobinFactory(Plain).Create(
            HostFactory.Priorities(HostFactory.Set(HostFactory.Hosts(1, 3))), HostFactory.Environment());
        var first = balancer.PeekAnotherHost(null);
        var second = balancer.PeekAnotherHost(null);
        Assert.Same(first, balancer.ChooseHost(null));
        Assert.Same(second, balancer.ChooseHost(null));
    }

    [Fact]
    public void LeastRequestAvoidsTheBusyHost()
    {
        var hosts = HostFactory.Hosts(1, 1);
        hosts[0].Stats.RqActive = 5;
        var balancer = new LeastRequestFactory(Plain, new LeastRequestOptions(2, static () => 1.0, FullScan: true))
            .Create(HostFactory.Priorities(HostFactory.Set(hosts)), HostFactory.Environment());
        Assert.Equal([2, 2, 2], HostFactory.Ports(balancer, 3));
    }

    [Fact]
    public void PanicUsesAllHosts()
    {
        var failed = HostFactory.Host(1, flags: HealthFlags.FailedEdsHealth);
        var balancer = new RoundRobinFactory(Plain).Create(
            HostFactory.Priorities(HostFactory.Set(failed)), HostFactory.Environment());
        Assert.Equal([1], HostFactory.Ports(balancer, 1));
    }

    [Fact]
    public void WithoutPanicNobodyIsChosen()
    {
        var failed = HostFactory.Host(1, flags: HealthFlags.FailedEdsHealth);
        var balancer = new RoundRobinFactory(Plain with { PanicThreshold = 0 }).Create(
            HostFactory.Priorities(HostFactory.Set(failed)), HostFactory.Environment());
        Assert.Equal([0], HostFactory.Ports(balancer, 1));
    }

    [Fact]
    public void MaglevKeepsMostKeysWhenAHostGoes()
    {
        var hosts = HostFactory.Hosts(1, 1, 1, 1);
        var factory = new MaglevFactory(Plain, new ConsistentHashOptions(false, 0), 65537);
        var all = factory.Create(HostFactory.Priorities(HostFactory.Set(hosts)), HostFactory.Environment());
        var fewer = factory.Create(HostFactory.Priorities(HostFactory.Set(hosts[..3])), HostFactory.Environment());
        var moved = 0;
        for (ulong key = 0; key < 1000; key++)
        {
            var context = new HashContext(key * 0x9e3779b97f4a7c15);
            var before = all.ChooseHost(context);
            var after = fewer.ChooseHost(context);
            Assert.Same(before, all.ChooseHost(context));
            moved += before != hosts[3] && before != after ? 1 : 0;
        }
        Assert.True(moved < 100, $"{moved} of 1000 keys moved although their host stayed.");
    }

    [Fact]
    public void RingHashFollowsWeights()
    {
        var hosts = HostFactory.Hosts(1, 3);
        var balancer = new RingHashFactory(
                Plain, new ConsistentHashOptions(false, 0),
                new RingHashOptions(RingHashOptions.DefaultMinimum, RingHashOptions.DefaultMaximum, Murmur: false))
            .Create(HostFactory.Priorities(HostFactory.Set(hosts)), HostFactory.Environment());
        var heavy = 0;
        for (ulong key = 0; key < 4000; key++)
        {
            heavy += balancer.ChooseHost(new HashContext(key * 0x9e3779b97f4a7c15)) == hosts[1] ? 1 : 0;
        }
        Assert.InRange(heavy, 2700, 3300);
    }

    private sealed class HashContext(ulong hash) : ILoadBalancerContext
    {
        public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria => null;

        public Connection? DownstreamConnection => null;

        public HeaderMap? DownstreamHeaders => null;

        public StreamInfo? RequestStreamInfo => null;

        public uint HostSelectionRetryCount => 0;

        public IRetryPriority? RetryPriority => null;

        public TransportSocketOptions? UpstreamTransportSocketOptions => null;

        public (string Address, bool Strict)? OverrideHostToSelect => null;

        public ulong? ComputeHashKey() => hash;

        public bool ShouldSelectAnotherHost(Host host) => false;
    }
}
