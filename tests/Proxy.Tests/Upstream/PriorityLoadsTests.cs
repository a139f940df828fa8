using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public sealed class PriorityLoadsTests
{
    // Hosts of each priority as letters: h healthy, d degraded, x failed, e excluded (draining).
    [Theory]
    [InlineData("hh|hh", "100,0", "0,0", "-")]
    [InlineData("hx|hh", "70,30", "0,0", "-")]
    [InlineData("hxx|hh", "46,54", "0,0", "-")]
    [InlineData("xx|hh", "0,100", "0,0", "-")]
    [InlineData("xx|xx", "50,50", "0,0", "01")]
    [InlineData("dd|hh", "0,100", "0,0", "-")]
    [InlineData("dd", "0", "100", "-")]
    [InlineData("hd", "70", "30", "-")]
    [InlineData("he", "100", "0", "-")]
    [InlineData("hxxx|hxxx", "50,50", "0,0", "01")]
    public void LoadsFollowHealth(string priorities, string healthy, string degraded, string panicking)
    {
        var sets = priorities.Split('|').Select((letters, i) => new HostSet(
            (uint)i, [.. letters.Select((letter, j) => HostFactory.Host((i * 100) + j + 1, flags: FlagsOf(letter)))], null,
            HostSetPolicy.Default, null)).ToArray();
        var loads = PriorityLoads.Compute(sets, panicThreshold: 50);
        Assert.Equal(healthy, string.Join(',', loads.Healthy));
        Assert.Equal(degraded, string.Join(',', loads.Degraded));
        var panic = string.Concat(loads.Panic.Select((panics, i) => panics ? $"{i}" : ""));
        Assert.Equal(panicking, panic.Length == 0 ? "-" : panic);
    }

    [Fact]
    public void ADrawFallsIntoItsBucket()
    {
        var load = new PriorityLoad([70, 0], [0, 30]);
        Assert.Equal((0, false), PriorityLoads.Choose(load, 69));
        Assert.Equal((1, true), PriorityLoads.Choose(load, 70));
    }

    private static HealthFlags FlagsOf(char letter) => letter switch
    {
        'd' => HealthFlags.DegradedEdsHealth,
        'x' => HealthFlags.FailedEdsHealth,
        'e' => HealthFlags.EdsStatusDraining,
        _ => HealthFlags.None,
    };
}
