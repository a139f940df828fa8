using System.Globalization;
using Envoy.Admin.V3;
using Envoy.Type.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.Clusters;
using MeshProxy.Proxy.Upstream.Health;
using Breakers = Envoy.Config.Cluster.V3.CircuitBreakers;
using HealthStatus = Envoy.Config.Core.V3.HealthStatus;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/clusters`: what each cluster and its hosts are doing, as text or JSON.</summary>
internal sealed class ClustersEndpoint(ClusterManager clusters)
{
    private static readonly (HealthFlags Flag, string Name)[] FlagNames =
    [
        (HealthFlags.FailedActiveHealthCheck, "/failed_active_hc"),
        (HealthFlags.FailedOutlierCheck, "/failed_outlier_check"),
        (HealthFlags.FailedEdsHealth, "/failed_eds_health"),
        (HealthFlags.DegradedActiveHealthCheck, "/degraded_active_hc"),
        (HealthFlags.DegradedEdsHealth, "/degraded_eds_health"),
        (HealthFlags.PendingDynamicRemoval, "/pending_dynamic_removal"),
        (HealthFlags.PendingActiveHealthCheck, "/pending_active_hc"),
        (HealthFlags.ExcludedViaImmediateHealthCheckFail, "/excluded_via_immediate_hc_fail"),
        (HealthFlags.ActiveHealthCheckTimeout, "/active_hc_timeout"),
        (HealthFlags.EdsStatusDraining, "/eds_status_draining"),
        (HealthFlags.DegradedOutlierDetection, "/degraded_outlier_detection"),
    ];

    public AdminEndpoint Endpoint => new("/clusters", "upstream cluster status", false, Answer);

    private AdminResponse Answer(AdminQuery query)
    {
        Re2Regex? filter = null;
        if (query.Find("filter") is { Length: > 0 } pattern)
        {
            try
            {
                filter = Re2Regex.Compile(pattern, "filter");
            }
            catch (ConfigurationException error)
            {
                return AdminResponse.Text($"Invalid re2 regex: {error.Message}\n", 400);
            }
        }
        var shown = clusters.Clusters.Where(cluster => filter is null || filter.PartialMatch(cluster.Name))
            .OrderBy(cluster => cluster.Name, StringComparer.Ordinal).ToArray();
        return query.Find("format") == "json" ? Json(shown) : Text(shown);
    }

    private static AdminResponse Text(ManagedCluster[] shown)
    {
        var next = 0;
        return AdminResponse.Pieces(output =>
        {
            if (next < shown.Length)
            {
                WriteText(shown[next++], output.Write);
            }
            return next < shown.Length;
        });
    }

    private static void WriteText(ManagedCluster managed, Action<string> write)
    {
        var cluster = managed.Cluster;
        var name = managed.Name;
        Line($"observability_name::{cluster.Info.ObservabilityName}");
        if (cluster.OutlierDetector is { } outlier)
        {
            Line($"outlier::success_rate_average::{Number(outlier.SuccessRateAverage)}");
            Line($"outlier::success_rate_ejection_threshold::{Number(outlier.SuccessRateThreshold)}");
            Line($"outlier::local_origin_success_rate_average::{Number(outlier.LocalOriginAverage)}");
            Line($"outlier::local_origin_success_rate_ejection_threshold::{Number(outlier.LocalOriginThreshold)}");
        }
        WriteLimits("default", cluster.Entry.Resources(RoutingPriority.Default));
        WriteLimits("high", cluster.Entry.Resources(RoutingPriority.High));
        Line($"added_via_api::{(managed.AddedViaApi ? "true" : "false")}");
        if (EdsServiceName(managed) is { Length: > 0 } service)
        {
            Line($"eds_service_name::{service}");
        }
        foreach (var host in cluster.Entry.Hosts.Sets.SelectMany(set => set.Hosts))
        {
            WriteHost(host);
        }

        void Line(string text) => write($"{name}::{text}\n");

        void WriteLimits(string priority, ResourceManager limits)
        {
            Line($"{priority}_priority::max_connections::{limits.Connections.Max}");
            Line($"{priority}_priority::max_pending_requests::{limits.PendingRequests.Max}");
            Line($"{priority}_priority::max_requests::{limits.Requests.Max}");
            Line($"{priority}_priority::max_retries::{limits.MaxRetries}");
        }

        void WriteHost(HostImpl host)
        {
            var address = host.AddressText;
            foreach (var (stat, value, _) in Stats(host))
            {
                Line($"{address}::{stat}::{value}");
            }
            Line($"{address}::hostname::{host.Hostname}");
            Line($"{address}::health_flags::{Flags(host.Flags)}");
            Line($"{address}::weight::{host.Weight}");
            Line($"{address}::region::{host.Locality.Region}");
            Line($"{address}::zone::{host.Locality.Zone}");
            Line($"{address}::sub_zone::{host.Locality.SubZone}");
            Line($"{address}::canary::{(host.Canary ? "true" : "false")}");
            Line($"{address}::priority::{host.Priority}");
            Line($"{address}::success_rate::{Number(Rate(host, external: true))}");
            Line($"{address}::local_origin_success_rate::{Number(Rate(host, external: false))}");
        }
    }

    private static AdminResponse Json(ManagedCluster[] shown)
    {
        var all = Envoy.Admin.V3.Clusters.New();
        foreach (var managed in shown)
        {
            all.ClusterStatuses.Add(Status(managed));
        }
        return AdminResponse.OfMessage(all.Message);
    }

    private static ClusterStatus Status(ManagedCluster managed)
    {
        var cluster = managed.Cluster;
        var status = ClusterStatus.New();
        status.Name = managed.Name;
        status.AddedViaApi = managed.AddedViaApi;
        status.ObservabilityName = cluster.Info.ObservabilityName;
        status.EdsServiceName = EdsServiceName(managed);
        if (cluster.OutlierDetector is { } outlier)
        {
            status.SuccessRateEjectionThreshold = Percentage(outlier.SuccessRateThreshold);
            status.LocalOriginSuccessRateEjectionThreshold = Percentage(outlier.LocalOriginThreshold);
        }
        var breakers = Breakers.New();
        breakers.ThresholdsValue.Add(Limits(cluster.Entry.Resources(RoutingPriority.Default), Envoy.Config.Core.V3.RoutingPriority.Default));
        breakers.ThresholdsValue.Add(Limits(cluster.Entry.Resources(RoutingPriority.High), Envoy.Config.Core.V3.RoutingPriority.High));
        status.CircuitBreakers = breakers;
        foreach (var host in cluster.Entry.Hosts.Sets.SelectMany(set => set.Hosts))
        {
            status.HostStatuses.Add(Status(host));
        }
        return status;
    }

    private static Breakers.Thresholds Limits(ResourceManager limits, Envoy.Config.Core.V3.RoutingPriority priority)
    {
        var thresholds = Breakers.Thresholds.New();
        thresholds.Priority = priority;
        thresholds.MaxConnections = Clamp(limits.Connections.Max);
        thresholds.MaxPendingRequests = Clamp(limits.PendingRequests.Max);
        thresholds.MaxRequests = Clamp(limits.Requests.Max);
        thresholds.MaxRetries = Clamp(limits.MaxRetries);
        return thresholds;

        static uint Clamp(ulong limit) => (uint)Math.Min(limit, uint.MaxValue);
    }

    private static HostStatus Status(HostImpl host)
    {
        var status = HostStatus.New();
        status.Address = AddressMessages.Of(host.Address);
        foreach (var (name, value, isGauge) in Stats(host).OrderBy(stat => stat.Name, StringComparer.Ordinal))
        {
            var metric = SimpleMetric.New();
            metric.Name = name;
            metric.Value = (ulong)Math.Max(0, value);
            metric.TypeValue = isGauge ? SimpleMetric.Type.Gauge : SimpleMetric.Type.Counter;
            status.Stats.Add(metric);
        }
        status.HealthStatus = Health(host);
        status.SuccessRate = Percentage(Rate(host, external: true));
        status.LocalOriginSuccessRate = Percentage(Rate(host, external: false));
        status.Weight = host.Weight;
        status.Hostname = host.Hostname;
        status.Priority = host.Priority;
        var locality = Envoy.Config.Core.V3.Locality.New();
        locality.Region = host.Locality.Region;
        locality.Zone = host.Locality.Zone;
        locality.SubZone = host.Locality.SubZone;
        status.Locality = locality;
        return status;
    }

    private static HostHealthStatus Health(HostImpl host)
    {
        var health = HostHealthStatus.New();
        health.FailedActiveHealthCheck = host.Has(HealthFlags.FailedActiveHealthCheck);
        health.FailedOutlierCheck = host.Has(HealthFlags.FailedOutlierCheck);
        health.FailedActiveDegradedCheck = host.Has(HealthFlags.DegradedActiveHealthCheck);
        health.PendingDynamicRemoval = host.Has(HealthFlags.PendingDynamicRemoval);
        health.PendingActiveHc = host.Has(HealthFlags.PendingActiveHealthCheck);
        health.ExcludedViaImmediateHcFail = host.Has(HealthFlags.ExcludedViaImmediateHealthCheckFail);
        health.ActiveHcTimeout = host.Has(HealthFlags.ActiveHealthCheckTimeout);
        health.FailedDegradedOutlierDetection = host.Has(HealthFlags.DegradedOutlierDetection);
        health.EdsHealthStatus = host.Has(HealthFlags.EdsStatusDraining) ? HealthStatus.Draining
            : host.Has(HealthFlags.FailedEdsHealth) ? HealthStatus.Unhealthy
            : host.Has(HealthFlags.DegradedEdsHealth) ? HealthStatus.Degraded
            : HealthStatus.Healthy;
        return health;
    }

    private static IEnumerable<(string Name, long Value, bool IsGauge)> Stats(HostImpl host)
    {
        var stats = host.Stats;
        yield return ("cx_active", Volatile.Read(ref stats.CxActive), true);
        yield return ("cx_connect_fail", Volatile.Read(ref stats.CxConnectFail), false);
        yield return ("cx_total", Volatile.Read(ref stats.CxTotal), false);
        yield return ("rq_active", Volatile.Read(ref stats.RqActive), true);
        yield return ("rq_error", Volatile.Read(ref stats.RqError), false);
        yield return ("rq_pending_active", Volatile.Read(ref stats.RqPendingActive), true);
        yield return ("rq_success", Volatile.Read(ref stats.RqSuccess), false);
        yield return ("rq_timeout", Volatile.Read(ref stats.RqTimeout), false);
        yield return ("rq_total", Volatile.Read(ref stats.RqTotal), false);
    }

    private static string Flags(HealthFlags flags)
    {
        var text = string.Concat(FlagNames.Where(entry => (flags & entry.Flag) != 0).Select(entry => entry.Name));
        return text.Length > 0 ? text : "healthy";
    }

    private static double Rate(HostImpl host, bool external) =>
        host.Outlier is OutlierMonitor monitor ? (external ? monitor.External : monitor.LocalOrigin).SuccessRate : -1;

    private static string EdsServiceName(ManagedCluster managed) =>
        managed.Definition.EdsClusterConfigValue?.ServiceName ?? "";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static Percent? Percentage(double value)
    {
        if (value < 0)
        {
            return null;
        }
        var percent = Percent.New();
        percent.Value = value;
        return percent;
    }
}
