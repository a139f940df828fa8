using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>outlier_detection, compiled; numbers may be overridden by runtime `outlier_detection.…`. Defaults are OutlierDetection's.</summary>
internal sealed class OutlierOptions
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultBaseEjectionTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DefaultMaxEjectionTime = TimeSpan.FromSeconds(300);

    private readonly OutlierDetection _config;
    private readonly IRuntime _runtime;

    public OutlierOptions(OutlierDetection config, IRuntime runtime, string cluster)
    {
        _config = config;
        _runtime = runtime;
        BaseEjectionTime = config.BaseEjectionTime ?? DefaultBaseEjectionTime;
        if (config.MaxEjectionTime is { } given && given < BaseEjectionTime)
        {
            throw new ConfigurationException(
                $"outlier detector's max_ejection_time cannot be smaller than base_ejection_time (cluster {cluster}).");
        }
        if (config.Monitors.Count > 0)
        {
            throw new ConfigurationException($"outlier_detection.monitors of cluster {cluster} are not supported; use the detectors of outlier_detection.");
        }
        MaxEjectionTime = config.MaxEjectionTime ?? (BaseEjectionTime > DefaultMaxEjectionTime ? BaseEjectionTime : DefaultMaxEjectionTime);
    }

    public TimeSpan BaseEjectionTime { get; }

    public TimeSpan MaxEjectionTime { get; }

    public bool SplitLocalOrigin => _config.SplitExternalLocalOriginErrors;

    public bool AlwaysEjectOne => _config.AlwaysEjectOneHost ?? false;

    public bool HealthCheckUnejects => _config.SuccessfulActiveHealthCheckUnejectHost ?? true;

    public long Interval => Milliseconds("interval_ms", _config.Interval ?? DefaultInterval);

    public long BaseEjectionMilliseconds => Milliseconds("base_ejection_time_ms", BaseEjectionTime);

    public long MaxEjectionMilliseconds => Milliseconds("max_ejection_time_ms", MaxEjectionTime);

    public long MaxJitterMilliseconds => Milliseconds("max_ejection_time_jitter_ms", _config.MaxEjectionTimeJitter ?? default);

    public ulong Consecutive5xx => Number("consecutive_5xx", _config.Consecutive5Xx, 5);

    public ulong ConsecutiveGatewayFailure => Number("consecutive_gateway_failure", _config.ConsecutiveGatewayFailure, 5);

    public ulong ConsecutiveLocalOriginFailure => Number("consecutive_local_origin_failure", _config.ConsecutiveLocalOriginFailure, 5);

    public ulong MaxEjectionPercent => Math.Min(100, Number("max_ejection_percent", _config.MaxEjectionPercent, 10));

    public ulong SuccessRateMinimumHosts => Number("success_rate_minimum_hosts", _config.SuccessRateMinimumHosts, 5);

    public ulong SuccessRateRequestVolume => Number("success_rate_request_volume", _config.SuccessRateRequestVolume, 100);

    public double SuccessRateStdevFactor => Number("success_rate_stdev_factor", _config.SuccessRateStdevFactor, 1900) / 1000.0;

    public ulong FailurePercentageThreshold => Number("failure_percentage_threshold", _config.FailurePercentageThreshold, 85);

    public ulong FailurePercentageMinimumHosts => Number("failure_percentage_minimum_hosts", _config.FailurePercentageMinimumHosts, 5);

    public ulong FailurePercentageRequestVolume => Number("failure_percentage_request_volume", _config.FailurePercentageRequestVolume, 50);

    /// <summary>Draws whether a detection of that kind is enforced.</summary>
    public bool Enforces(EjectionType type)
    {
        var (key, percent) = type switch
        {
            EjectionType.Consecutive5xx => ("enforcing_consecutive_5xx", _config.EnforcingConsecutive5Xx ?? 100),
            EjectionType.ConsecutiveGatewayFailure =>
                ("enforcing_consecutive_gateway_failure", _config.EnforcingConsecutiveGatewayFailure ?? 0),
            EjectionType.SuccessRate => ("enforcing_success_rate", _config.EnforcingSuccessRate ?? 100),
            EjectionType.ConsecutiveLocalOriginFailure =>
                ("enforcing_consecutive_local_origin_failure", _config.EnforcingConsecutiveLocalOriginFailure ?? 100),
            EjectionType.SuccessRateLocalOrigin =>
                ("enforcing_local_origin_success_rate", _config.EnforcingLocalOriginSuccessRate ?? 100),
            EjectionType.FailurePercentage => ("enforcing_failure_percentage", _config.EnforcingFailurePercentage ?? 0),
            _ => ("enforcing_failure_percentage_local_origin", _config.EnforcingFailurePercentageLocalOrigin ?? 0),
        };
        return _runtime.FeatureEnabled("outlier_detection." + key, percent, 100, (ulong)Random.Shared.NextInt64());
    }

    private ulong Number(string key, uint? configured, uint defaultValue) =>
        _runtime.GetInteger("outlier_detection." + key, configured ?? defaultValue);

    private long Milliseconds(string key, TimeSpan configured) =>
        (long)_runtime.GetInteger("outlier_detection." + key, (ulong)configured.TotalMilliseconds);
}
