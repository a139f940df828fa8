using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using Config = Envoy.Type.V3.TokenBucket;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>
/// A token bucket that fills evenly, used by all loops without locks: it keeps only the moment at which it would have been
/// empty (Envoy's AtomicTokenBucket).
/// </summary>
internal sealed class TokenBucket
{
    /// <summary>Envoy refuses shorter intervals than 50 ms.</summary>
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(50);

    private readonly double _perSecond;

    // Seconds of the monotonic clock, as bits.
    private long _emptyAt;

    public TokenBucket(Config config, string field)
    {
        var interval = config.FillInterval ?? throw new ConfigurationException($"{field}.fill_interval is required.");
        if (interval < ShortestInterval)
        {
            throw new ConfigurationException("local rate limit token bucket fill timer must be >= 50ms");
        }
        Maximum = config.MaxTokens;
        _perSecond = (config.TokensPerFill ?? 1) / interval.TotalSeconds;
        _emptyAt = BitConverter.DoubleToInt64Bits(Now - (Maximum / _perSecond));
    }

    private TokenBucket(TokenBucket like)
    {
        Maximum = like.Maximum;
        _perSecond = like._perSecond;
        _emptyAt = BitConverter.DoubleToInt64Bits(Now - (Maximum / _perSecond));
    }

    public uint Maximum { get; }

    /// <summary>Tokens a second: of several buckets the slowest decides first.</summary>
    public double Rate => _perSecond;

    public uint Remaining => (uint)Math.Floor(Tokens(Now, Empty) + 1e-9);

    /// <summary>Seconds until there is a token; 0 while there is one.</summary>
    public long SecondsToNext => Remaining > 0 ? 0 : (long)Math.Ceiling((1 - Tokens(Now, Empty)) / _perSecond);

    private static double Now => EventLoop.NowNanoseconds / 1e9;

    private double Empty => BitConverter.Int64BitsToDouble(Volatile.Read(ref _emptyAt));

    /// <summary>A full bucket of the same kind.</summary>
    public TokenBucket Fresh() => new(this);

    public bool Consume(ulong tokens)
    {
        while (true)
        {
            var before = Volatile.Read(ref _emptyAt);
            var now = Now;
            var held = Tokens(now, BitConverter.Int64BitsToDouble(before));
            // A billionth forgives the rounding of times, never a token.
            if (held + 1e-9 < tokens)
            {
                return false;
            }
            var after = BitConverter.DoubleToInt64Bits(now - ((held - tokens) / _perSecond));
            if (Interlocked.CompareExchange(ref _emptyAt, after, before) == before)
            {
                return true;
            }
        }
    }

    private double Tokens(double now, double emptyAt) => Math.Min(Maximum, (now - emptyAt) * _perSecond);
}
