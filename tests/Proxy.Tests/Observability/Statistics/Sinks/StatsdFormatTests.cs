using MeshProxy.Proxy.Observability.Statistics.Sinks;
using MeshProxy.Proxy.Observability.Statistics;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Statistics.Sinks;

public sealed class StatsdFormatTests
{
    private readonly StatsStore _store = new(1) { Tags = new TagProducer(DefaultTags.All, [new("site", "a")]) };
    private readonly Recorder _sink = new();
    private readonly StatsFlusher _flusher;

    public StatsdFormatTests()
    {
        _flusher = new StatsFlusher(_store, DateTime.UtcNow);
        _flusher.Use([_sink]);
    }

    [Fact]
    public void CountersGoAsWhatTheyGrewBy()
    {
        var counter = _store.Root.Scope("cluster.c1").Counter("upstream_rq_total");
        counter.Add(3);
        Assert.Equal(["envoy.cluster.c1.upstream_rq_total:3|c"], Lines(StatsdTags.None));
        counter.Add(2);
        Assert.Equal(["envoy.cluster.c1.upstream_rq_total:2|c"], Lines(StatsdTags.None));
        Assert.Equal(["envoy.cluster.c1.upstream_rq_total:0|c"], Lines(StatsdTags.None));
    }

    [Fact]
    public void ACounterThatWasResetStartsAnew()
    {
        var counter = _store.Root.Counter("c");
        counter.Add(5);
        Lines(StatsdTags.None);
        _store.ResetCounters();
        counter.Add(1);
        Assert.Equal(["envoy.c:1|c"], Lines(StatsdTags.None));
    }

    [Fact]
    public void UnusedOnesAreNotSent()
    {
        _store.Root.Counter("c");
        _store.Root.Gauge("g");
        Assert.Empty(Lines(StatsdTags.None));
    }

    [Fact]
    public void DialectsPutTagsInTheirPlaces()
    {
        _store.Root.Scope("cluster.c1").Gauge("membership_total").Set(2);
        Assert.Equal(["envoy.cluster.membership_total:2|g|#site:a,envoy.cluster_name:c1"], Lines(StatsdTags.AfterValue));
        Assert.Equal(["envoy.cluster.membership_total;site=a;envoy.cluster_name=c1:2|g"], Lines(StatsdTags.AfterName));
    }

    [Fact]
    public void SamplesAreTimersAndSharesAreNot()
    {
        _store.Root.Histogram("upstream_rq_time").Record(12);
        _store.Root.Histogram("upstream_rq_timeout_budget_percent_used").Record(0.25);
        _store.Root.Histogram("loop_duration_us").Record(5000);
        var format = new StatsdFormat(_store, "mesh", StatsdTags.None, scalesToMilliseconds: true);
        Assert.Equal(
            ["mesh.upstream_rq_time:12|ms", "mesh.upstream_rq_timeout_budget_percent_used:0.25|h", "mesh.loop_duration_us:5|ms"],
            _sink.Samples.Select(sample => format.Line(sample.Histogram, sample.Value)));
    }

    private List<string> Lines(StatsdTags tags)
    {
        var format = new StatsdFormat(_store, "", tags, scalesToMilliseconds: false);
        _flusher.Flush();
        return [.. _sink.Last!.Stats.Select(stat => format.Line(stat)!)];
    }

    private sealed class Recorder : IStatsSink
    {
        public StatsSnapshot? Last { get; private set; }

        public List<(StoreHistogram Histogram, ulong Value)> Samples { get; } = [];

        public void Flush(StatsSnapshot snapshot) => Last = snapshot;

        public void OnSample(StoreHistogram histogram, ulong sample) => Samples.Add((histogram, sample));
    }
}
