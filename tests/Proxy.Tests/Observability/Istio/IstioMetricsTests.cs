using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Tests.Security;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Proxy.Tests.Upstream;
using MeshProxy.Xds.Mapping;
using Stats;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Istio;

/// <summary>istio.stats: labels, what a configuration changes about them, how many series there may be and how long they stay.</summary>
public sealed class IstioMetricsTests : IDisposable
{
    private const int Inbound = 1;
    private const int Outbound = 2;

    private static readonly WorkloadMetadata Peer = new()
    {
        Workload = "peer-v1", Namespace = "told", CanonicalName = "peer", CanonicalRevision = "v1", App = "peer", Version = "1", Cluster = "c2",
    };

    private readonly LoopFixture _fixture = new();
    private readonly FixedRuntime _runtime = new();
    private TestContext _context = null!;

    [Fact]
    public void A_client_reports_its_own_workload_as_source_and_the_peer_as_destination()
    {
        var labels = Count("{}", Outbound, Info(WorkloadMetadata.UpstreamPeer), host: "web.shop:80");
        Assert.Equal("source", labels["reporter"]);
        Assert.Equal("own-v1", labels["source_workload"]);
        Assert.Equal("short", labels["source_app"]);
        Assert.Equal("peer-v1", labels["destination_workload"]);
        Assert.Equal("told", labels["destination_workload_namespace"]);
        Assert.Equal("web.shop:80", labels["destination_service"]);
        Assert.Equal("web.shop:80", labels["destination_service_name"]);
        Assert.Equal("told", labels["destination_service_namespace"]);
        Assert.Equal("unknown", labels["destination_principal"]);
        Assert.Equal("unknown", labels["connection_security_policy"]);
    }

    [Fact]
    public void A_server_reports_the_peer_as_source_and_its_own_service()
    {
        var labels = Count("disable_host_header_fallback: true", Inbound, Info(WorkloadMetadata.DownstreamPeer), host: "anything");
        Assert.Equal("destination", labels["reporter"]);
        Assert.Equal("peer-v1", labels["source_workload"]);
        Assert.Equal("own-v1", labels["destination_workload"]);
        Assert.Equal("own", labels["destination_service"]);
        Assert.Equal("own", labels["destination_service_name"]);
        Assert.Equal("shop", labels["destination_service_namespace"]);
        Assert.Equal("none", labels["connection_security_policy"]);
    }

    [Fact]
    public void An_unknown_peer_is_unknown_and_its_revision_the_latest()
    {
        var labels = Count("{}", Inbound, LogContexts.Info());
        Assert.Equal("unknown", labels["source_workload"]);
        Assert.Equal("latest", labels["source_canonical_revision"]);
        Assert.Equal("unknown", labels["source_workload_namespace"]);
    }

    [Fact]
    public void Identities_found_by_filters_make_mutual_tls_and_name_the_namespace()
    {
        var info = Info(WorkloadMetadata.DownstreamPeer);
        info.FilterState.Set("io.istio.peer_principal", new StringFilterState("spiffe://td/ns/proven/sa/a"));
        info.FilterState.Set("io.istio.local_principal", new StringFilterState("spiffe://td/ns/shop/sa/b"));
        var labels = Count("{}", Inbound, info);
        Assert.Equal("mutual_tls", labels["connection_security_policy"]);
        Assert.Equal("proven", labels["source_workload_namespace"]);
        Assert.Equal("spiffe://td/ns/proven/sa/a", labels["source_principal"]);
    }

    [Fact]
    public void A_gateway_reports_the_workload_behind_it()
    {
        var info = Info(WorkloadMetadata.DownstreamPeer);
        info.FilterState.Set(WorkloadMetadata.UpstreamPeer, new WorkloadMetadata { Workload = "behind", Namespace = "ns", Identity = "spiffe://x" });
        var labels = Count("reporter: SERVER_GATEWAY", Inbound, info);
        Assert.Equal(("waypoint", "behind", "ns", "spiffe://x", "unknown"), (labels["reporter"], labels["destination_workload"],
            labels["destination_workload_namespace"], labels["destination_principal"], labels["destination_canonical_revision"]));
    }

    public static TheoryData<string?, string?, string?, bool, bool, string, string, string, string> Services => new()
    {
        // host, name, namespace of the cluster's service; catch-all; has a service; request's host; expected host, name, namespace
        { "a.shop.svc", "a.shop.svc", "shop", false, true, "x", "a.shop.svc", "a.shop.svc", "shop" },
        { "a.shop.svc", null, null, false, true, "x", "a.shop.svc", "a", "" },
        { null, null, null, false, true, "b.example", "b.example", "b", "" },
        { null, null, null, false, false, "b.example", "b.example", "b.example", "" },
        { null, "PassthroughCluster", null, true, false, "b.example", "b.example", "PassthroughCluster", "" },
    };

    [Theory]
    [MemberData(nameof(Services))]
    public void The_service_is_the_clusters_else_the_requests_host(
        string? host, string? name, string? space, bool catchAll, bool hasService, string requestHost, string wantHost, string wantName, string wantSpace)
    {
        var key = new PeerKey(null, null, new ServiceFacts(host, name, space, catchAll, hasService), requestHost, null, "", "");
        Assert.Equal((wantHost, wantName, wantSpace), PeerLabelValues.Service(key));
    }

    [Fact]
    public void A_route_without_a_service_names_it() => Assert.Equal(
        ("x", "BlackHoleCluster", ""),
        PeerLabelValues.Service(new PeerKey(null, null, new ServiceFacts("a", "a", "n", false, true), "x", "BlackHoleCluster", "", "")));

    [Fact]
    public void Labels_are_added_changed_and_removed()
    {
        var labels = Count(
            """
            metrics:
            - dimensions: { z_method: request.method, a_host: request.host, source_app: "'fixed'", gone: nothing.there }
              tags_to_remove: [destination_cluster, not_a_label]
            - name: requests_total
              dimensions: { only_here: "request.url_path.startsWith('/a') ? 'a' : 'other'" }
            """,
            Outbound, LogContexts.Info(), host: "h.test");
        Assert.Equal("fixed", labels["source_app"]);
        Assert.False(labels.ContainsKey("destination_cluster"));
        Assert.Equal(["a_host", "gone", "z_method", "only_here"], labels.Keys.TakeLast(4));
        Assert.Equal(("h.test", "unknown", "GET", "a"), (labels["a_host"], labels["gone"], labels["z_method"], labels["only_here"]));
    }

    [Fact]
    public void A_label_whose_expression_cannot_be_read_is_left_out_and_told_of()
    {
        var labels = Count("metrics: [{ dimensions: { source_app: '((', own: '((' } }]", Outbound, LogContexts.Info());
        Assert.False(labels.ContainsKey("source_app"));
        Assert.False(labels.ContainsKey("own"));
        Assert.Contains(UnsupportedFeatures.Of(_context.Singletons).All, entry => entry.Feature.Contains("'(('", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dropped_metric_is_not_made()
    {
        Count("metrics: [{ name: request_bytes, drop: true }]", Outbound, LogContexts.Info());
        Assert.DoesNotContain(Shown(), stat => stat.Name.StartsWith("istiocustom.istio_request_bytes.", StringComparison.Ordinal));
        Assert.Contains(Shown(), stat => stat.Name.StartsWith("istiocustom.istio_response_bytes.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_metric_of_the_configurations_own_counts_what_its_expression_gives()
    {
        Count(
            """
            definitions: [{ name: custom_count, value: "string(request.method == 'GET' ? 7 : 0)" }]
            metrics: [{ name: custom_count, dimensions: { reporter: "'proxy'" } }]
            """,
            Outbound, LogContexts.Info());
        var custom = Shown().Single(stat => stat.Name.StartsWith("istiocustom.istio_custom_count", StringComparison.Ordinal));
        Assert.Equal(("istiocustom.istio_custom_count.reporter.proxy", 7), (custom.Name, custom.Value));
    }

    [Fact]
    public void Beyond_the_limit_series_are_folded()
    {
        _runtime.Integers["istio_stats.max_series_per_metric"] = 2;
        var settings = Compile("{}", Outbound);
        foreach (var host in new[] { "a", "b", "c", "d", "d" })
        {
            Log(settings, LogContexts.Info(), host);
        }
        var services = Shown().Where(stat => stat.Name.StartsWith("istiocustom.istio_requests_total.", StringComparison.Ordinal))
            .ToDictionary(stat => stat.Tags!.Tags.Single(tag => tag.Key == "destination_service").Value, stat => stat.Value);
        Assert.Equal(new Dictionary<string, long> { ["a"] = 1, ["b"] = 1, ["other"] = 3 }, services);
        Assert.True(_context.Stat("istio_stats.folded_records") > 0);
    }

    [Fact]
    public void What_is_not_used_goes_and_what_is_used_stays()
    {
        var settings = Compile("{}", Outbound);
        Log(settings, LogContexts.Info(), "used");
        Log(settings, LogContexts.Info(), "idle");
        settings.Metrics.Sweep();
        Log(settings, LogContexts.Info(), "used");
        settings.Metrics.Sweep();
        Assert.Equal((2, null), (Requests("used"), Requests("idle")));

        // Made again it begins at zero, and in the place of another.
        settings.Metrics.Sweep();
        settings.Metrics.Sweep();
        Log(settings, LogContexts.Info(), "idle");
        Assert.Equal((null, 1), (Requests("used"), Requests("idle")));
    }

    [Fact]
    public void A_series_that_is_known_costs_no_memory()
    {
        var settings = Compile("{}", Outbound);
        var info = Info(WorkloadMetadata.UpstreamPeer);
        var headers = LogContexts.Headers((":authority", "web"));
        Record(settings, info, headers, 10);
        long allocated = 0;
        _fixture.Loop.Invoke(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            RecordHere(settings, info, headers, 1000);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, allocated);
    }

    public void Dispose() => _fixture.Dispose();

    private static StreamInfo Info(string peerKey)
    {
        var info = LogContexts.Info();
        info.FilterState.Set(peerKey, Peer);
        return info;
    }

    private IstioStatsSettings Compile(string yaml, int direction)
    {
        var node = MessageJson.ParseYaml<Envoy.Config.Core.V3.Node>(
            """
            { id: own, metadata: { WORKLOAD_NAME: own-v1, NAMESPACE: shop, CLUSTER_ID: c1, LABELS: { app: short, app.kubernetes.io/name: long,
              service.istio.io/canonical-name: own, service.istio.io/canonical-revision: v1, version: "1" } } }
            """,
            JsonReadOptions.Strict);
        _context = new TestContext(_fixture.Loop)
        {
            NodeValue = node,
            RuntimeValue = _runtime,
            ListenerValue = new ListenerFacts("l", direction, new DynamicMetadata()),
        };
        return IstioStatsCompiler.Of(_context).Compile(MessageJson.ParseYaml<PluginConfig>(yaml, JsonReadOptions.Strict), _context);
    }

    // One request counted; the labels of its counter, in order.
    private Dictionary<string, string> Count(string yaml, int direction, StreamInfo info, string host = "")
    {
        Log(Compile(yaml, direction), info, host);
        var counter = Shown().Single(stat => stat.Name.StartsWith("istiocustom.istio_requests_total.", StringComparison.Ordinal));
        Assert.Equal(1, counter.Value);
        return new Dictionary<string, string>(counter.Tags!.Tags);
    }

    private void Log(IstioStatsSettings settings, StreamInfo info, string host) => Record(
        settings, info,
        LogContexts.Headers((":method", "GET"), (":path", "/a/b"), (":authority", host)), 1);

    private void Record(IstioStatsSettings settings, StreamInfo info, HeaderMap headers, int times) =>
        _fixture.Loop.Invoke(() => RecordHere(settings, info, headers, times));

    private static void RecordHere(IstioStatsSettings settings, StreamInfo info, HeaderMap headers, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var context = new LogContext(headers, null, null, info, AccessLogType.DownstreamEnd);
            var labels = settings.Caches[0].Labels(settings, info, info.FilterState, headers);
            var series = labels.Series(
                new OutcomeKey(ExchangeKind.Http, 200, info.FlagOrder, null, ExpressionValues.Evaluate(settings, context)), info);
            series.Add(IstioMetric.RequestsTotal, 1);
            series.Record(IstioMetric.RequestDurationMilliseconds, 3);
            series.Record(IstioMetric.RequestBytes, 100);
            series.Record(IstioMetric.ResponseBytes, 100);
            series.RecordCustom();
        }
    }

    private List<StatValue> Shown() => _context.Store.Collect(new StatQuery(false, null, static _ => true));

    private long? Requests(string service) => Shown()
        .Where(stat => stat.Name.StartsWith("istiocustom.istio_requests_total.", StringComparison.Ordinal)
            && stat.Tags!.Tags.Contains(new("destination_service", service)))
        .Select(stat => (long?)stat.Value).SingleOrDefault();
}
