namespace MeshProxy.Proxy.Listeners;

/// <summary>A count of open connections with a limit that may change at run time; exact across loops.</summary>
public sealed class ConnectionLimit(Func<ulong> max)
{
    private long _count;

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Takes one; false, taking none, when the limit is reached.</summary>
    public bool TryTake()
    {
        if ((ulong)Interlocked.Increment(ref _count) <= max())
        {
            return true;
        }
        Interlocked.Decrement(ref _count);
        return false;
    }

    /// <summary>Takes one whatever the limit: a connection handed over by another listener was let in there.</summary>
    public void Take() => Interlocked.Increment(ref _count);

    public void Release() => Interlocked.Decrement(ref _count);
}
