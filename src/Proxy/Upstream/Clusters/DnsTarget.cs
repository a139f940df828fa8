using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Dns;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>One name that a cluster resolves again and again, on the rhythm of its options. On the main loop.</summary>
internal sealed class DnsTarget : IDisposable
{
    private readonly EventLoop _loop;
    private readonly DnsOptions _options;
    private readonly string _name;
    private readonly Action _onAttempt;
    private readonly Action<DnsAnswer> _onAnswer;
    private readonly LoopTimer _timer;
    private readonly CancellationTokenSource _cancellation = new();
    private TimeSpan _failureInterval;

    public DnsTarget(EventLoop loop, DnsOptions options, string name, Action onAttempt, Action<DnsAnswer> onAnswer)
    {
        _loop = loop;
        _options = options;
        _name = name;
        _onAttempt = onAttempt;
        _onAnswer = onAnswer;
        _timer = loop.CreateTimer(Resolve);
        ResetFailures();
    }

    public void Resolve()
    {
        _onAttempt();
        _ = ResolveAsync();
    }

    public void Dispose()
    {
        _timer.Disarm();
        _cancellation.Cancel();
    }

    private async Task ResolveAsync()
    {
        var answer = await Task.Run(() => _options.Resolver.ResolveAsync(_name, _options.Family, _cancellation.Token));
        _loop.Post(() => OnAnswer(answer));
    }

    private void OnAnswer(DnsAnswer answer)
    {
        if (_cancellation.IsCancellationRequested)
        {
            return;
        }
        _timer.Arm(answer.Failure is null ? AfterSuccess(answer) : AfterFailure());
        _onAnswer(answer);
    }

    private TimeSpan AfterSuccess(DnsAnswer answer)
    {
        ResetFailures();
        var rate = _options.RefreshRate;
        // A time to live of zero would make a busy loop: the configured rate then.
        if (_options.RespectTtl && answer.MinTtl is { } ttl && ttl > TimeSpan.Zero && ttl < TimeSpan.MaxValue)
        {
            rate = _options.MinRefreshRate is { } least && ttl < least ? least : ttl;
        }
        return rate + TimeSpan.FromMilliseconds(
            _options.Jitter > TimeSpan.Zero ? Random.Shared.NextInt64((long)_options.Jitter.TotalMilliseconds) : 0);
    }

    // Full jitter: a random part of an interval that doubles.
    private TimeSpan AfterFailure()
    {
        if (_options.FailureRefreshRate is not { } rate)
        {
            return _options.RefreshRate;
        }
        var interval = _failureInterval;
        _failureInterval = interval * 2 < rate.Max ? interval * 2 : rate.Max;
        return TimeSpan.FromMilliseconds(Random.Shared.NextInt64(Math.Max(1, (long)interval.TotalMilliseconds)));
    }

    private void ResetFailures() => _failureInterval = _options.FailureRefreshRate?.Base ?? _options.RefreshRate;
}
