using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Statistics;

public class StatsStoreTests
{
    private static readonly StatBlockLayout Layout = new(
        [("rq_total", StatKind.Counter), ("rq_active", StatKind.Gauge), ("rq_time", StatKind.Histogram)]);

    private readonly StatsStore _store = new(loopCount: 2);

    [Fact]
    public void EntriesOfABlockAreListedAsZeroAndUnusedBeforeTheyAreWritten()
    {
        var block = _store.Root.Scope("cluster.a").Block(Layout);

        Assert.Equal(["cluster.a.rq_active=0", "cluster.a.rq_time=0", "cluster.a.rq_total=0"], List(usedOnly: false));
        Assert.Empty(List(usedOnly: true));

        block.Inc(0);
        block.Set(1, 0);
        Assert.Equal(["cluster.a.rq_active=0", "cluster.a.rq_total=1"], List(usedOnly: true));
    }

    [Fact]
    public void ACounterOfABlocksNameIsTheBlocks()
    {
        var scope = _store.Root.Scope("cluster.a");
        var block = scope.Block(Layout);

        scope.Counter("rq_total").Add(3);

        Assert.Equal(3, block.Value(0));
    }

    [Fact]
    public void ScopesOfOnePrefixShareTheirStatsAndTheLastDropsThem()
    {
        var first = _store.Root.Scope("http.in");
        var second = _store.Root.Scope("http.in");
        first.Counter("x").Inc();
        second.Counter("x").Inc();
        Assert.Equal(["http.in.x=2"], List(usedOnly: false));

        first.Dispose();
        Assert.Equal(["http.in.x=2"], List(usedOnly: false));
        second.Dispose();
        Assert.Empty(List(usedOnly: false));
    }

    [Fact]
    public void DisposingDropsScopesMadeFromTheScope()
    {
        var scope = _store.Root.Scope("cluster.a");
        scope.Scope("ssl").Counter("handshake").Inc();

        scope.Dispose();

        Assert.Empty(List(usedOnly: false));
    }

    [Fact]
    public void EqualNamesMadeUnderDifferentPrefixesAreOne()
    {
        _store.Root.Scope("a").Counter("b.c").Inc();
        _store.Root.Scope("a.b").Counter("c").Inc();

        Assert.Equal(["a.b.c=2"], List(usedOnly: false));
    }

    [Fact]
    public void ResetCountersStayUsedAndCountOn()
    {
        var counter = _store.Root.Counter("x");
        counter.Add(5);

        _store.ResetCounters();
        Assert.Equal(["x=0"], List(usedOnly: true));
        counter.Inc();
        Assert.Equal(["x=1"], List(usedOnly: true));
    }

    [Fact]
    public void AColonInANameBecomesAnUnderscore()
    {
        Assert.Equal("listener.[__]_80.", _store.Root.Scope("listener.[::]:80").Prefix);
        Assert.Equal("a_b", _store.Root.Counter("a:b").Name);
    }

    [Fact]
    public void HistogramsShowSamplesAfterAMerge()
    {
        var histogram = _store.Root.Histogram("t");
        histogram.Record(300);
        Assert.Empty(List(usedOnly: true));

        _store.MergeHistograms();
        histogram.Record(10);
        _store.MergeHistograms();

        var merged = Assert.Single(_store.Collect(new StatQuery(true, null, _ => true))).Histogram!;
        Assert.Equal(2UL, merged.Cumulative.SampleCount);
        Assert.Equal(1UL, merged.Interval.SampleCount);
    }

    [Fact]
    public void ManyThreadsWithoutALoopLoseNothing()
    {
        var counter = _store.Root.Counter("x");

        Parallel.For(0, 1000, _ => counter.Inc());

        Assert.Equal(1000, counter.Value);
    }

    [Fact]
    public void NamesAreOrderedAsWholeEvenAcrossPrefixes()
    {
        _store.Root.Scope("a").Counter("z").Inc();
        _store.Root.Scope("a.b").Counter("c").Inc();
        _store.Root.Counter("a.y").Inc();
        _store.Root.Counter("a").Inc();

        Assert.Equal(["a=1", "a.b.c=1", "a.y=1", "a.z=1"], List(usedOnly: true));
    }

    private IEnumerable<string> List(bool usedOnly) =>
        _store.Collect(new StatQuery(usedOnly, null, _ => true)).Select(value => $"{value.Name}={value.Value}");
}
