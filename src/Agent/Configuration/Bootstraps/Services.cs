using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration.Bootstraps;

/// <summary>Services of the mesh's operator that the proxy reports to, as ProxyConfig names them.</summary>
internal static class Services
{
    public const string Metrics = "envoy_metrics_service";
    public const string AccessLogs = "envoy_accesslog_service";
    public const string Zipkin = "zipkin";
    public const string Datadog = "datadog_agent";

    /// <summary>Where metrics are sent; null for nowhere.</summary>
    public static string? MetricsPlace(ProxyConfig config) => Place(config.Object("envoyMetricsService"));

    /// <summary>The clusters of all of them.</summary>
    /// <exception cref="AgentException">An address is malformed.</exception>
    public static IEnumerable<JsonObject> Clusters(ProxyConfig config, bool isIPv6)
    {
        if (MetricsPlace(config) is { } metrics)
            yield return StaticClusters.WithHttp2(StaticClusters.OfService(Metrics, metrics, "envoyMetricsService.address", isIPv6));
        if (Place(config.Object("envoyAccessLogService")) is { } logs)
            yield return StaticClusters.WithHttp2(StaticClusters.OfService(AccessLogs, logs, "envoyAccessLogService.address", isIPv6));
        if (Tracer(config, "zipkin") is { } zipkin)
            yield return StaticClusters.OfService(Zipkin, zipkin, "tracing.zipkin.address", isIPv6);
        if (Tracer(config, "datadog") is { } datadog)
            yield return StaticClusters.OfService(Datadog, datadog, "tracing.datadog.address", isIPv6);
    }

    /// <summary>`tracing`: the provider of connection managers that name none; null without one.</summary>
    public static JsonObject? Tracing(ProxyConfig config, string serviceCluster)
    {
        var provider = Tracer(config, "zipkin") is not null
            ? Parts.Extension("envoy.tracers.zipkin", "envoy.config.trace.v3.ZipkinConfig", new JsonObject
            {
                ["collector_cluster"] = Zipkin,
                ["collector_endpoint"] = "/api/v2/spans",
                ["collector_endpoint_version"] = "HTTP_JSON",
                ["trace_id_128bit"] = true,
                ["shared_span_context"] = false,
            })
            : Tracer(config, "datadog") is not null
                ? Parts.Extension("envoy.tracers.datadog", "envoy.config.trace.v3.DatadogConfig", new JsonObject
                {
                    ["collector_cluster"] = Datadog,
                    ["service_name"] = serviceCluster,
                })
                : null;
        return provider is null ? null : new JsonObject { ["http"] = provider };
    }

    private static string? Tracer(ProxyConfig config, string kind) =>
        Place(config.Object("tracing")?[kind] as JsonObject);

    private static string? Place(JsonObject? service) =>
        service?["address"]?.ToString() is { Length: > 0 } place ? place : null;
}
