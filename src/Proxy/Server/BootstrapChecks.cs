using Envoy.Config.Bootstrap.V3;
using Envoy.Extensions.RegexEngines.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Upstream.Dns;

namespace MeshProxy.Proxy.Server;

/// <summary>Refuses settings of the bootstrap that contradict each other or name what is not there.</summary>
internal static class BootstrapChecks
{
    // Bootstrap.stats_flush_interval.
    private static readonly TimeSpan DefaultFlushInterval = TimeSpan.FromSeconds(5);

    public static void Check(Bootstrap bootstrap)
    {
        if (bootstrap.Watchdog is not null && bootstrap.Watchdogs is not null)
        {
            throw new ConfigurationException("Only one of watchdog or watchdogs should be set!");
        }
        if (bootstrap.StatsFlushInterval is not null && bootstrap.StatsFlushCase != Bootstrap.StatsFlushOneofCase.None)
        {
            throw new ConfigurationException("Only one of stats_flush_interval or stats_flush_on_admin should be set!");
        }
        var flush = bootstrap.StatsFlushInterval ?? DefaultFlushInterval;
        if (bootstrap.StatsEvictionInterval is { } eviction && eviction.Ticks % Math.Max(1, flush.Ticks) != 0)
        {
            throw new ConfigurationException("stats_eviction_interval must be a multiple of stats_flush_interval.");
        }
        if (bootstrap.DefaultRegexEngine is { } engine && engine.TypedConfig?.Is<GoogleRE2>() != true)
        {
            throw new ConfigurationException(
                $"default_regex_engine: Didn't find a registered implementation for '{engine.Name}' with type URL: '{engine.TypedConfig?.TypeName}'; use GoogleRE2.");
        }
        if (bootstrap.Tracing?.HttpValue is { } tracer && !TracerCompiler.IsKnown(tracer))
        {
            throw new ConfigurationException(
                $"tracing.http: Didn't find a registered implementation for '{tracer.Name}' with type URL: '{tracer.TypedConfig?.TypeName}'; use OpenTelemetry or Zipkin.");
        }
        DnsResolverCompiler.Compile(bootstrap.TypedDnsResolverConfig);
        foreach (var secret in bootstrap.StaticResourcesValue?.Secrets ?? default)
        {
            if (secret.TypeCase == Secret.TypeOneofCase.None)
            {
                throw new ConfigurationException($"Secret type not implemented: static secret '{secret.Name}' holds nothing.");
            }
        }
    }
}
