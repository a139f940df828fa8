using MeshProxy.Proxy.Network;
using Xunit;

namespace MeshProxy.Proxy.Tests.Network;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;

    private long _now = 1_000 * Second;

    [Fact]
    public void GivesWhatItHoldsAndFillsWithTime()
    {
        var bucket = new TokenBucket(2, 1, TimeSpan.FromSeconds(1), () => _now);
        Assert.True(bucket.TryTake());
        Assert.True(bucket.TryTake());
        Assert.False(bucket.TryTake());
        _now += Second / 2;
        Assert.False(bucket.TryTake());
        _now += Second;
        Assert.True(bucket.TryTake());
        Assert.False(bucket.TryTake());
    }

    [Fact]
    public void NeverHoldsMoreThanItsSize()
    {
        var bucket = new TokenBucket(2, 10, TimeSpan.FromSeconds(1), () => _now);
        _now += 60 * Second;
        Assert.True(bucket.TryTake());
        Assert.True(bucket.TryTake());
        Assert.False(bucket.TryTake());
    }

    [Fact]
    public void TakesSeveralAtOnceOrNone()
    {
        var bucket = new TokenBucket(3, 1, TimeSpan.FromSeconds(2), () => _now);
        Assert.True(bucket.TryTake(2));
        Assert.Equal(1u, bucket.Remaining);
        Assert.False(bucket.TryTake(2));
        Assert.Equal(1u, bucket.Remaining);
        Assert.Equal(0, bucket.SecondsToNext);
        Assert.True(bucket.TryTake());
        Assert.Equal(2, bucket.SecondsToNext);
        _now += Second;
        Assert.Equal(1, bucket.SecondsToNext);
        Assert.Equal(3u, bucket.Fresh().Remaining);
    }

    [Fact]
    public void IsEmptyForEverWithoutSize()
    {
        var bucket = new TokenBucket(0, 10, TimeSpan.FromSeconds(1), () => _now);
        _now += 60 * Second;
        Assert.False(bucket.TryTake());
    }

    [Fact]
    public void GivesEachTokenOnceWhateverTheThreads()
    {
        var bucket = new TokenBucket(1000, 1, TimeSpan.FromHours(1), () => _now);
        var taken = 0;
        Parallel.For(0, 4, _ =>
        {
            for (var i = 0; i < 1000; i++)
            {
                if (bucket.TryTake())
                {
                    Interlocked.Increment(ref taken);
                }
            }
        });
        Assert.Equal(1000, taken);
    }
}
