using System.Diagnostics;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Discovery;

/// <summary>What all ways of following resources share: statistics and the time-out of the first answer.</summary>
internal abstract class SubscriptionBase : ISubscription
{
    private readonly ISubscriptionCallbacks _callbacks;
    private readonly TimeSpan _initialFetchTimeout;
    private readonly EventLoop _loop;
    private LoopTimer? _fetchTimer;

    /// <param name="initialFetchTimeout">Zero waits for ever.</param>
    protected SubscriptionBase(EventLoop loop, IStatsScope scope, TimeSpan initialFetchTimeout, ISubscriptionCallbacks callbacks)
    {
        _loop = loop;
        _callbacks = callbacks;
        _initialFetchTimeout = initialFetchTimeout;
        Stats = new SubscriptionStats(scope);
    }

    protected SubscriptionStats Stats { get; }

    protected bool Disposed { get; private set; }

    public abstract void Start();

    public abstract void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames);

    public virtual void Dispose()
    {
        Disposed = true;
        EndFetchTimer();
    }

    protected void ArmFetchTimer()
    {
        if (_initialFetchTimeout > TimeSpan.Zero)
        {
            _fetchTimer = _loop.CreateTimer(OnFetchTimeout);
            _fetchTimer.Arm(_initialFetchTimeout);
        }
    }

    /// <exception cref="ConfigurationException">The owner refuses something in it.</exception>
    protected void Apply(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string version, bool isDelta)
    {
        EndFetchTimer();
        var start = Stopwatch.GetTimestamp();
        _callbacks.OnConfigUpdate(added, removed, version, isDelta);
        Stats.Succeeded(version, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>A refused answer is an answer: nobody waits for the first one any longer.</summary>
    protected void TellFailed(string reason)
    {
        EndFetchTimer();
        _callbacks.OnConfigUpdateFailed(reason, initialFetchTimeout: false);
    }

    private void OnFetchTimeout()
    {
        _fetchTimer = null;
        Stats.FetchTimedOut();
        Stats.Attempted();
        _callbacks.OnConfigUpdateFailed("no answer came within initial_fetch_timeout", initialFetchTimeout: true);
    }

    private void EndFetchTimer()
    {
        _fetchTimer?.Disarm();
        _fetchTimer = null;
    }
}
