using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Observability;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Statistics;

public sealed class ScopeMatcherTests
{
    [Fact]
    public void AScopeWithAMatcherOfItsOwnKeepsWhatThatLetsThrough()
    {
        var store = new StatsStore(1) { Matcher = new Only("nothing") };
        var scope = store.Root.Scope("cluster.c1", new Only("cluster.c1.kept"));
        scope.Counter("kept").Inc();
        scope.Counter("other").Inc();
        scope.Scope("circuit_breakers").Gauge("kept").Set(1);
        store.Root.Scope("cluster.c2").Counter("kept").Inc();
        var names = store.Collect(new StatQuery(true, null, static _ => true)).Select(stat => stat.Name);
        Assert.Equal(["cluster.c1.kept"], names);
    }

    [Fact]
    public void SharesAreShownFrom0To1()
    {
        var store = new StatsStore(1);
        store.Root.Histogram("upstream_rq_timeout_budget_percent_used").Record(0.5);
        store.MergeHistograms();
        var stat = Assert.Single(store.Collect(new StatQuery(true, null, static kind => kind == StatKind.Histogram)));
        Assert.InRange(stat.Histogram!.Cumulative.SampleSum, 0.5, 0.51);
        Assert.Equal(1UL, stat.Histogram.Cumulative.CountBelow(1));
        Assert.Equal(0UL, stat.Histogram.Cumulative.CountBelow(0.4));
    }

    private sealed class Only(string name) : IStatsMatcher
    {
        public bool Rejects(string candidate) => candidate != name;
    }
}
