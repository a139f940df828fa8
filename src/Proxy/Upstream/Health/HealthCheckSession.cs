using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Checks one host again and again: counts towards the thresholds, sets its flags, plans the next check.</summary>
internal abstract class HealthCheckSession : IDisposable
{
    private readonly LoopTimer _interval;
    private readonly LoopTimer _timeout;
    private bool _firstCheck = true;
    private bool _disposed;
    private uint _healthy;
    private uint _unhealthy;
    private bool _excludedNow;

    protected HealthCheckSession(HealthChecker checker, HostImpl host)
    {
        Checker = checker;
        Host = host;
        _interval = checker.Loop.CreateTimer(OnIntervalTimer);
        _timeout = checker.Loop.CreateTimer(OnTimeoutTimer);
    }

    protected HealthChecker Checker { get; }

    protected HostImpl Host { get; }

    /// <summary>HTTP status of the failed response, for the event log; 0 without.</summary>
    protected int FailedStatus { get; set; }

    protected bool Disposed => _disposed;

    public void Start()
    {
        var delay = Checker.Options.InitialDelay;
        if (delay > TimeSpan.Zero)
        {
            _interval.Arm(delay);
        }
        else
        {
            OnIntervalTimer();
        }
    }

    /// <summary>A response to traffic told us to stop sending (x-envoy-immediate-health-check-fail).</summary>
    public void FailByTraffic(HostImpl host)
    {
        if (!_disposed)
        {
            Exclude();
            SetUnhealthy(HealthCheckFailure.Passive, retriable: false);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _interval.Disarm();
        _timeout.Disarm();
        CloseConnection();
    }

    protected abstract void StartCheck();

    /// <summary>The check took too long: whatever it holds is closed without further word.</summary>
    protected abstract void AbandonCheck();

    protected abstract void CloseConnection();

    protected void HandleSuccess(bool degraded)
    {
        if (_disposed)
        {
            return;
        }
        _unhealthy = 0;
        var changed = false;
        var pending = false;
        if (Host.Has(HealthFlags.FailedActiveHealthCheck))
        {
            // The first answer of a host is believed at once: starting up is faster so.
            if (_firstCheck || ++_healthy >= Checker.Options.HealthyThreshold)
            {
                Host.Clear(
                    HealthFlags.FailedActiveHealthCheck | HealthFlags.ActiveHealthCheckTimeout
                    | HealthFlags.ExcludedViaImmediateHealthCheckFail);
                Host.LastHealthyTime = Checker.Loop.Now;
                changed = true;
                Checker.Log?.AddHealthy(Host, _firstCheck);
            }
            else
            {
                pending = true;
            }
        }
        else if (Checker.Options.Config.AlwaysLogHealthCheckSuccess)
        {
            Checker.Log?.Success(Host);
        }
        changed |= ClearPending();
        if (degraded != Host.Has(HealthFlags.DegradedActiveHealthCheck))
        {
            SetDegraded(degraded);
            changed |= !pending;
        }
        Checker.Stats.Success();
        _firstCheck = false;
        _timeout.Disarm();
        PlanNext(healthy: true, pending);
        Checker.OnChecked(Host, passed: true, changed);
    }

    /// <summary>A failed check that asked for it: the host leaves the ratios too.</summary>
    protected void Exclude()
    {
        _excludedNow = !Host.Has(HealthFlags.ExcludedViaImmediateHealthCheckFail);
        Host.Set(HealthFlags.ExcludedViaImmediateHealthCheckFail);
    }

    protected void HandleFailure(HealthCheckFailure kind, bool retriable = false)
    {
        if (_disposed)
        {
            return;
        }
        _timeout.Disarm();
        SetUnhealthy(kind, retriable, planNext: true);
    }

    private void SetUnhealthy(HealthCheckFailure kind, bool retriable, bool planNext = false)
    {
        _healthy = 0;
        var changed = _excludedNow;
        _excludedNow = false;
        var pending = false;
        if (!Host.Has(HealthFlags.FailedActiveHealthCheck))
        {
            var countsTowardsThreshold = retriable || kind is HealthCheckFailure.Network or HealthCheckFailure.NetworkTimeout;
            if (!countsTowardsThreshold || ++_unhealthy >= Checker.Options.UnhealthyThreshold)
            {
                Host.Set(HealthFlags.FailedActiveHealthCheck);
                changed = true;
                Checker.Log?.EjectUnhealthy(Host, kind, FailedStatus);
            }
            else
            {
                pending = true;
            }
        }
        changed |= ClearPending();
        if (kind != HealthCheckFailure.NetworkTimeout)
        {
            Host.Clear(HealthFlags.ActiveHealthCheckTimeout);
        }
        else if (changed && Host.Has(HealthFlags.FailedActiveHealthCheck))
        {
            Host.Set(HealthFlags.ActiveHealthCheckTimeout);
        }
        Checker.Stats.Failure(kind);
        if (_firstCheck || Checker.Options.Config.AlwaysLogHealthCheckFailures)
        {
            Checker.Log?.Failure(Host, kind, FailedStatus, _firstCheck);
        }
        _firstCheck = false;
        FailedStatus = 0;
        if (planNext)
        {
            PlanNext(healthy: false, pending);
        }
        Checker.OnChecked(Host, passed: false, changed);
    }

    private bool ClearPending()
    {
        if (!Host.Has(HealthFlags.PendingActiveHealthCheck))
        {
            return false;
        }
        Host.Clear(HealthFlags.PendingActiveHealthCheck);
        return true;
    }

    private void SetDegraded(bool degraded)
    {
        if (degraded)
        {
            Host.Set(HealthFlags.DegradedActiveHealthCheck);
            Checker.Log?.Degraded(Host);
        }
        else
        {
            Host.Clear(HealthFlags.DegradedActiveHealthCheck);
            Checker.Log?.NoLongerDegraded(Host);
        }
    }

    private void PlanNext(bool healthy, bool changePending)
    {
        var traffic = Checker.Cluster.Info.Traffic.Value((int)ClusterStat.UpstreamCxTotal) > 0;
        _interval.Arm(Checker.Options.NextInterval(healthy, changePending, traffic));
    }

    private void OnIntervalTimer()
    {
        Checker.Stats.Attempt();
        _timeout.Arm(Checker.Options.Timeout);
        StartCheck();
    }

    private void OnTimeoutTimer()
    {
        AbandonCheck();
        HandleFailure(HealthCheckFailure.NetworkTimeout);
    }
}
