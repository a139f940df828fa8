using System.Net;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Xds.Mapping;
using Xunit;
using Workload = Istio.Workload.Workload;

namespace MeshProxy.Proxy.Tests.Observability.Istio;

public class WorkloadDiscoveryTests
{
    // 10.42.0.1, and an address of IPv6.
    private const string Both =
        """
        { uid: u1, name: a-1, namespace: shop, addresses: ["CioAAQ==", "IAENuAAAAAAAAAAAAAAAAQ=="], workload_name: a, workload_type: JOB,
          canonical_name: canon, canonical_revision: v2, cluster_id: c1, service_account: robot, locality: { region: east, zone: z } }
        """;

    private readonly Subscriptions _subscriptions = new();
    private readonly WorkloadDiscovery _discovery;

    public WorkloadDiscoveryTests() =>
        _discovery = new WorkloadDiscovery(ConfigSource.New(), _subscriptions, new StatsStore(1).Root.Scope("workload_discovery"));

    [Fact]
    public void A_workload_is_found_by_each_of_its_addresses()
    {
        Push(isDelta: true, [("u1", Both)]);
        foreach (var address in new[] { "10.42.0.1:80", "[::ffff:10.42.0.1]:80", "[2001:db8::1]:443" })
        {
            var found = _discovery.Find(IPEndPoint.Parse(address))!;
            Assert.Equal(("a-1", "shop", "a", WorkloadType.Job, "canon", "v2", "canon", "v2", "c1", "east", "z",
                    "spiffe://cluster.local/ns/shop/sa/robot"),
                (found.Name, found.Namespace, found.Workload, found.Type, found.CanonicalName, found.CanonicalRevision, found.App,
                    found.Version, found.Cluster, found.Region, found.Zone, found.Identity));
        }
        Assert.Null(_discovery.Find(IPEndPoint.Parse("10.42.0.2:80")));
    }

    [Fact]
    public void What_moves_or_goes_is_no_longer_found()
    {
        Push(isDelta: true, [("u1", Both)]);
        Push(isDelta: true, [("u1", """{ uid: u1, name: a-1, addresses: ["CioAAg=="] }""")]);
        Assert.Null(_discovery.Find(IPEndPoint.Parse("10.42.0.1:80")));
        Assert.Equal("spiffe://cluster.local/ns/default/sa/default", _discovery.Find(IPEndPoint.Parse("10.42.0.2:80"))!.Identity);
        Push(isDelta: true, [], ["u1"]);
        Assert.Null(_discovery.Find(IPEndPoint.Parse("10.42.0.2:80")));
    }

    [Fact]
    public void The_state_of_the_world_is_all_there_is()
    {
        Push(isDelta: false, [("u1", Both)]);
        Push(isDelta: false, [("u2", """{ uid: u2, name: b, addresses: ["CioAAg=="] }""")]);
        Assert.Null(_discovery.Find(IPEndPoint.Parse("10.42.0.1:80")));
        Assert.NotNull(_discovery.Find(IPEndPoint.Parse("10.42.0.2:80")));
    }

    private void Push(bool isDelta, (string Name, string Yaml)[] added, string[]? removed = null) =>
        _subscriptions.Callbacks!.OnConfigUpdate(
            [.. added.Select(one => new DecodedResource(
                one.Name, "1", MessageJson.ParseYaml<Workload>(one.Yaml, JsonReadOptions.Strict).Message, []))],
            removed ?? [], "1", isDelta);

    private sealed class Subscriptions : ISubscriptionFactory
    {
        public ISubscriptionCallbacks? Callbacks { get; private set; }

        public ISubscription Subscribe(
            ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames, IStatsScope scope, ISubscriptionCallbacks callbacks)
        {
            Assert.Equal("type.googleapis.com/istio.workload.Workload", typeUrl);
            Assert.Empty(resourceNames);
            Callbacks = callbacks;
            return new Nothing();
        }
    }

    private sealed class Nothing : ISubscription
    {
        public void Start()
        {
        }

        public void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames)
        {
        }

        public void Dispose()
        {
        }
    }
}
