using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Times to live of one type's resources (Resource.ttl).</summary>
internal sealed class ResourceExpiry
{
    private readonly EventLoop _loop;
    private readonly Action<IReadOnlyList<string>> _onExpired;
    private readonly LoopTimer _timer;
    private readonly Dictionary<string, long> _deadlines = new(StringComparer.Ordinal);

    public ResourceExpiry(EventLoop loop, Action<IReadOnlyList<string>> onExpired)
    {
        _loop = loop;
        _onExpired = onExpired;
        _timer = loop.CreateTimer(Expire);
    }

    /// <summary>A resource came, or its heartbeat: it lives that long from now; null for ever.</summary>
    public void Renew(string name, TimeSpan? timeToLive)
    {
        if (timeToLive is { } lives)
        {
            _deadlines[name] = _loop.Now + (long)lives.TotalMilliseconds;
            Arm();
        }
        else if (_deadlines.Remove(name))
        {
            Arm();
        }
    }

    private void Expire()
    {
        var expired = _deadlines.Where(entry => entry.Value <= _loop.Now).Select(entry => entry.Key).ToList();
        foreach (var name in expired)
        {
            _deadlines.Remove(name);
        }
        Arm();
        if (expired.Count > 0)
        {
            _onExpired(expired);
        }
    }

    private void Arm()
    {
        if (_deadlines.Count == 0)
        {
            _timer.Disarm();
            return;
        }
        _timer.Arm(TimeSpan.FromMilliseconds(Math.Max(0, _deadlines.Values.Min() - _loop.Now)));
    }
}
