namespace MeshProxy.Proxy.Network;

/// <summary>
/// A token bucket shared by all loops without a lock, filled continuously (Envoy's AtomicTokenBucket): what is stored is the
/// moment at which the bucket would have been empty.
/// </summary>
public sealed class TokenBucket
{
    private readonly double _max;
    private readonly double _perNanosecond;
    private readonly Func<long> _now;
    private double _emptyAt;

    /// <param name="now">Nanoseconds of a steady clock; the process's own when null.</param>
    public TokenBucket(uint maxTokens, uint tokensPerFill, TimeSpan fillInterval, Func<long>? now = null)
    {
        _max = maxTokens;
        _perNanosecond = tokensPerFill / (fillInterval.TotalMilliseconds * 1_000_000);
        _now = now ?? (static () => Transport.EventLoop.NowNanoseconds);
        _emptyAt = _now() - (_max / _perNanosecond);
    }

    /// <summary>Takes one token; false, taking none, when there is no whole one.</summary>
    public bool TryTake()
    {
        while (true)
        {
            var emptyAt = Volatile.Read(ref _emptyAt);
            var now = _now();
            var tokens = Math.Min(_max, (now - emptyAt) * _perNanosecond);
            if (tokens < 1)
            {
                return false;
            }
            var next = now - ((tokens - 1) / _perNanosecond);
            if (Interlocked.CompareExchange(ref _emptyAt, next, emptyAt) == emptyAt)
            {
                return true;
            }
        }
    }
}
