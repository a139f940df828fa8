using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Clusters;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Ejects hosts that traffic shows to be failing, for a while, within a limit (upstream 10). On the main loop; monitors report from any.</summary>
internal sealed class OutlierDetector
{
    private readonly ClusterBase _cluster;
    private readonly EventLoop _loop;
    private readonly OutlierStats _stats;
    private readonly OutlierEventLog? _log;
    private readonly Dictionary<HostImpl, OutlierMonitor> _monitors = [];
    private readonly LoopTimer _timer;
    private bool _disposed;

    private OutlierDetector(ClusterBase cluster, ClusterEnvironment environment, OutlierOptions options)
    {
        _cluster = cluster;
        _loop = environment.MainLoop;
        Options = options;
        _stats = new OutlierStats(cluster.Info.Stats);
        _log = environment.OutlierEventLogPath.Length == 0
            ? null
            : new OutlierEventLog(environment.AccessLogs.Open(environment.OutlierEventLogPath), cluster.Info.Name);
        _timer = _loop.CreateTimer(OnInterval);
        ArmTimer();
    }

    public OutlierOptions Options { get; }

    /// <summary>Thresholds below which success rates of the last interval meant ejection, for /clusters; -1 without.</summary>
    public double SuccessRateThreshold { get; private set; } = -1;

    public double SuccessRateAverage { get; private set; } = -1;

    public double LocalOriginThreshold { get; private set; } = -1;

    public double LocalOriginAverage { get; private set; } = -1;

    /// <summary>Null when the cluster has no outlier_detection.</summary>
    public static OutlierDetector? Compile(ClusterBase cluster, ClusterEnvironment environment) =>
        cluster.Info.Definition.OutlierDetection is { } config
            ? new OutlierDetector(cluster, environment, new OutlierOptions(config, environment.Runtime, cluster.Info.Name))
            : null;

    public void OnHostsChanged(HostSetChange change)
    {
        foreach (var host in change.Added)
        {
            var monitor = new OutlierMonitor(this, host);
            _monitors[host] = monitor;
            host.SetOutlierMonitor(monitor);
        }
        foreach (var host in change.Removed)
        {
            if (_monitors.Remove(host) && host.Has(HealthFlags.FailedOutlierCheck))
            {
                _stats.ChangeActive(-1);
            }
        }
    }

    public void OnHealthCheckPassed(HostImpl host)
    {
        if (Options.HealthCheckUnejects && host.Has(HealthFlags.FailedOutlierCheck) && _monitors.TryGetValue(host, out var monitor))
        {
            Uneject(host, monitor);
        }
    }

    /// <summary>A row of failures is full; from any loop.</summary>
    public void Report(HostImpl host, EjectionType type) => _loop.Post(() => OnConsecutive(host, type));

    public void Dispose()
    {
        _disposed = true;
        _timer.Disarm();
    }

    private void OnConsecutive(HostImpl host, EjectionType type)
    {
        if (_disposed || !_monitors.TryGetValue(host, out var monitor) || host.Has(HealthFlags.FailedOutlierCheck))
        {
            return;
        }
        _stats.Detected(type);
        Eject(host, monitor, type);
        monitor.Reset(type);
    }

    private void Eject(HostImpl host, OutlierMonitor monitor, EjectionType type)
    {
        var percent = 100.0 * (_stats.Active + 1) / _monitors.Count;
        if (percent > Options.MaxEjectionPercent && !(Options.AlwaysEjectOne && _stats.Active == 0))
        {
            _stats.Overflow();
            return;
        }
        if (type is EjectionType.Consecutive5xx or EjectionType.SuccessRate)
        {
            _stats.Total();
        }
        var enforced = Options.Enforces(type);
        if (enforced)
        {
            var maxJitter = Options.MaxJitterMilliseconds;
            _stats.ChangeActive(1);
            _stats.Enforced(type);
            monitor.Eject(_loop.Now, maxJitter == 0 ? 0 : Random.Shared.NextInt64(maxJitter + 1));
            var basis = Options.BaseEjectionMilliseconds;
            if (monitor.Backoff * basis < Options.MaxEjectionMilliseconds + basis)
            {
                monitor.Backoff++;
            }
            _cluster.OnHealthChanged(host);
        }
        _log?.LogEject(host, monitor, type, enforced, this, _loop.Now);
    }

    private void Uneject(HostImpl host, OutlierMonitor monitor)
    {
        _stats.ChangeActive(-1);
        monitor.Uneject(_loop.Now);
        _cluster.OnHealthChanged(host);
        _log?.LogUneject(host, monitor, _loop.Now);
    }

    private void OnInterval()
    {
        foreach (var (host, monitor) in _monitors)
        {
            CheckForUneject(host, monitor);
            monitor.External.Turn();
            monitor.LocalOrigin.Turn();
        }
        (SuccessRateAverage, SuccessRateThreshold) = ProcessRates(
            static monitor => monitor.External, EjectionType.SuccessRate, EjectionType.FailurePercentage);
        (LocalOriginAverage, LocalOriginThreshold) = ProcessRates(
            static monitor => monitor.LocalOrigin, EjectionType.SuccessRateLocalOrigin, EjectionType.FailurePercentageLocalOrigin);
        ArmTimer();
    }

    private void CheckForUneject(HostImpl host, OutlierMonitor monitor)
    {
        if (!host.Has(HealthFlags.FailedOutlierCheck))
        {
            monitor.Backoff = Math.Max(0, monitor.Backoff - 1);
            return;
        }
        var duration = Math.Min(Options.BaseEjectionMilliseconds * monitor.Backoff, Options.MaxEjectionMilliseconds)
            + monitor.JitterMilliseconds;
        if (duration <= _loop.Now - monitor.LastEjection)
        {
            Uneject(host, monitor);
        }
    }

    private (double Average, double Threshold) ProcessRates(
        Func<OutlierMonitor, SuccessRateBucket> bucketOf, EjectionType rateType, EjectionType percentageType)
    {
        var minimumHosts = Options.SuccessRateMinimumHosts;
        var percentageMinimumHosts = Options.FailurePercentageMinimumHosts;
        if ((ulong)_monitors.Count < minimumHosts && (ulong)_monitors.Count < percentageMinimumHosts)
        {
            return (-1, -1);
        }
        var volume = (long)Options.SuccessRateRequestVolume;
        var percentageVolume = (long)Options.FailurePercentageRequestVolume;
        var rated = new List<(HostImpl Host, double Rate)>();
        var percented = new List<(HostImpl Host, double Rate)>();
        foreach (var (host, monitor) in _monitors)
        {
            var bucket = bucketOf(monitor);
            if (host.Has(HealthFlags.FailedOutlierCheck) || bucket.LastRate is not { } rate)
            {
                continue;
            }
            if (bucket.LastVolume >= Math.Min(volume, percentageVolume))
            {
                bucket.SuccessRate = rate;
            }
            if (bucket.LastVolume >= volume)
            {
                rated.Add((host, rate));
            }
            if (bucket.LastVolume >= percentageVolume)
            {
                percented.Add((host, rate));
            }
        }
        var result = (-1.0, -1.0);
        if (rated.Count > 0 && (ulong)rated.Count >= minimumHosts)
        {
            result = RateThreshold(rated, Options.SuccessRateStdevFactor);
            EjectBelow(rated, rateType, result.Item2, orEqual: false);
        }
        if (percented.Count > 0 && (ulong)percented.Count >= percentageMinimumHosts)
        {
            EjectBelow(percented, percentageType, 100.0 - Options.FailurePercentageThreshold, orEqual: true);
        }
        return result;
    }

    private void EjectBelow(List<(HostImpl Host, double Rate)> hosts, EjectionType type, double threshold, bool orEqual)
    {
        foreach (var (host, rate) in hosts)
        {
            if ((rate < threshold || (orEqual && rate == threshold)) && !host.Has(HealthFlags.FailedOutlierCheck))
            {
                _stats.Detected(type);
                Eject(host, _monitors[host], type);
            }
        }
    }

    // Mean less some population standard deviations.
    private static (double Average, double Threshold) RateThreshold(List<(HostImpl Host, double Rate)> hosts, double factor)
    {
        double sum = 0;
        foreach (var (_, rate) in hosts)
        {
            sum += rate;
        }
        var mean = sum / hosts.Count;
        double variance = 0;
        foreach (var (_, rate) in hosts)
        {
            variance += (rate - mean) * (rate - mean);
        }
        return (mean, mean - (factor * Math.Sqrt(variance / hosts.Count)));
    }

    private void ArmTimer()
    {
        if (!_disposed)
        {
            _timer.Arm(TimeSpan.FromMilliseconds(Options.Interval));
        }
    }
}
