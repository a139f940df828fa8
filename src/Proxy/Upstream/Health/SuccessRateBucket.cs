namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Requests of the running interval, and those of the last complete one. Counted on any loop, turned on the main loop.</summary>
internal sealed class SuccessRateBucket
{
    private long _total;
    private long _success;
    private long _lastTotal;
    private long _lastSuccess;

    /// <summary>Percent in the last interval when enough requests came; -1 otherwise (as /clusters shows it).</summary>
    public double SuccessRate { get; set; } = -1;

    public long LastVolume => _lastTotal;

    /// <summary>Percent of the last complete interval; null without requests.</summary>
    public double? LastRate => _lastTotal == 0 ? null : _lastSuccess * 100.0 / _lastTotal;

    public void CountRequest(bool success)
    {
        Interlocked.Increment(ref _total);
        if (success)
        {
            Interlocked.Increment(ref _success);
        }
    }

    public void Turn()
    {
        _lastTotal = Interlocked.Exchange(ref _total, 0);
        _lastSuccess = Interlocked.Exchange(ref _success, 0);
        SuccessRate = -1;
    }
}
