using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Transport;

public sealed class TimerWheelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(100_000)]
    [InlineData(86_400_000)]
    [InlineData(3_000_000_000)]
    public void Fires_at_its_tick_and_not_before(long delay)
    {
        using var loop = new EventLoop("test", 0);
        var start = 123_456_789L;
        var wheel = new TimerWheel(start);
        var timer = loop.CreateTimer(() => { });
        wheel.Insert(timer, start + delay);

        Assert.Null(wheel.TakeDue(start + delay - 1));
        Assert.Same(timer, wheel.TakeDue(start + delay));
        Assert.False(timer.IsArmed);
        Assert.Equal(-1, wheel.UntilNext(start + delay));
    }

    [Fact]
    public void Random_timers_fire_in_order_and_all()
    {
        using var loop = new EventLoop("test", 0);
        var random = new Random(7);
        var now = 1_000_003L;
        var wheel = new TimerWheel(now);
        var armed = new Dictionary<LoopTimer, long>();
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(3) != 0)
            {
                var timer = loop.CreateTimer(() => { });
                var expiry = now + 1 + random.NextInt64(random.Next(2) == 0 ? 100 : 1_000_000);
                wheel.Insert(timer, expiry);
                armed[timer] = expiry;
            }
            else if (armed.Count > 0 && random.Next(2) == 0)
            {
                var gone = armed.Keys.First();
                wheel.Remove(gone);
                armed.Remove(gone);
            }
            now += random.Next(random.Next(50) == 0 ? 100_000 : 20);
            while (wheel.TakeDue(now) is { } due)
            {
                Assert.True(armed.Remove(due, out var expiry));
                Assert.True(expiry <= now);
            }
            Assert.DoesNotContain(armed.Values, expiry => expiry <= now);
            var next = wheel.UntilNext(now);
            if (armed.Count > 0)
            {
                Assert.InRange(next, 0, armed.Values.Min() - now);
            }
        }
    }
}
