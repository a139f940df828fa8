namespace MeshProxy.Proxy.Discovery;

/// <summary>Waits before streams are opened again: at random up to a limit that doubles with each failure (Envoy's JitteredExponentialBackOffStrategy).</summary>
internal sealed class JitteredBackoff
{
    private readonly TimeSpan _first;
    private readonly TimeSpan _largest;
    private readonly Random _random;
    private TimeSpan _limit;

    /// <param name="first">Limit of the first wait.</param>
    /// <param name="largest">Limit of any wait.</param>
    /// <param name="random">Draws the waits.</param>
    public JitteredBackoff(TimeSpan first, TimeSpan largest, Random random)
    {
        (_first, _largest, _random) = (first, largest, random);
        _limit = first;
    }

    public TimeSpan Next()
    {
        var wait = TimeSpan.FromMilliseconds(_random.NextInt64(1, (long)_limit.TotalMilliseconds + 1));
        _limit = _limit * 2 < _largest ? _limit * 2 : _largest;
        return wait;
    }

    public void Reset() => _limit = _first;
}
