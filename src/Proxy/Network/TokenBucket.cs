using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network;

/// <summary>
/// A token bucket shared by all loops without a lock, filled continuously (Envoy's AtomicTokenBucket): what is stored is the
/// moment at which the bucket would have been empty.
/// </summary>
public sealed class TokenBucket
{
    /// <summary>A billionth forgives the rounding of times, never a token.</summary>
    private const double Rounding = 1e-9;

    private readonly double _perNanosecond;
    private readonly Func<long> _now;
    private double _emptyAt;

    /// <param name="now">Nanoseconds of a steady clock; the process's own when null.</param>
    public TokenBucket(uint maxTokens, uint tokensPerFill, TimeSpan fillInterval, Func<long>? now = null)
        : this(maxTokens, tokensPerFill / (fillInterval.TotalMilliseconds * 1_000_000), now ?? (static () => EventLoop.NowNanoseconds))
    {
    }

    private TokenBucket(uint maxTokens, double perNanosecond, Func<long> now)
    {
        Maximum = maxTokens;
        _perNanosecond = perNanosecond;
        _now = now;
        _emptyAt = now() - (maxTokens / perNanosecond);
    }

    public uint Maximum { get; }

    /// <summary>Tokens a second: of several buckets the slowest decides first.</summary>
    public double Rate => _perNanosecond * 1_000_000_000;

    public uint Remaining => (uint)Math.Floor(Tokens(_now(), Volatile.Read(ref _emptyAt)) + Rounding);

    /// <summary>Seconds until there is a token; 0 while there is one.</summary>
    public long SecondsToNext
    {
        get
        {
            var tokens = Tokens(_now(), Volatile.Read(ref _emptyAt));
            return tokens + Rounding >= 1 ? 0 : (long)Math.Ceiling((1 - tokens) / Rate);
        }
    }

    /// <summary>A full bucket of the same kind.</summary>
    public TokenBucket Fresh() => new(Maximum, _perNanosecond, _now);

    /// <summary>Takes tokens; false, taking none, when there are not as many whole ones.</summary>
    public bool TryTake(ulong tokens = 1)
    {
        while (true)
        {
            var emptyAt = Volatile.Read(ref _emptyAt);
            var now = _now();
            var held = Tokens(now, emptyAt);
            if (held + Rounding < tokens)
            {
                return false;
            }
            var next = now - ((held - tokens) / _perNanosecond);
            if (Interlocked.CompareExchange(ref _emptyAt, next, emptyAt) == emptyAt)
            {
                return true;
            }
        }
    }

    private double Tokens(long now, double emptyAt) => Math.Min(Maximum, (now - emptyAt) * _perNanosecond);
}
