using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>`global.proxy` of the values: what a proxy container gets that no annotation says otherwise.</summary>
public sealed record ProxyValues
{
    /// <summary>`enabled` or `disabled`: what happens to a pod that says nothing.</summary>
    public required string AutoInject { get; init; }
    public required string Image { get; init; }
    public required string ClusterDomain { get; init; }
    public required string LogLevel { get; init; }
    public required string ComponentLogLevel { get; init; }
    public required string Tracer { get; init; }
    public required bool Privileged { get; init; }
    public required bool EnableCoreDump { get; init; }
    public required string CapNetBindService { get; init; }
    public required bool HoldApplication { get; init; }
    public required string StatusPort { get; init; }
    public required string ReadinessInitialDelaySeconds { get; init; }
    public required string ReadinessPeriodSeconds { get; init; }
    public required string ReadinessFailureThreshold { get; init; }
    public required bool StartupProbe { get; init; }
    public required int StartupFailureThreshold { get; init; }
    public required string IncludeIpRanges { get; init; }
    public required string ExcludeIpRanges { get; init; }
    public required string IncludeInboundPorts { get; init; }
    public required string ExcludeInboundPorts { get; init; }
    public required string IncludeOutboundPorts { get; init; }
    public required string ExcludeOutboundPorts { get; init; }
    public required JsonObject Lifecycle { get; init; }
    public required JsonObject SeccompProfile { get; init; }
    public required string OutlierLogPath { get; init; }
    public required JsonObject Resources { get; init; }

    internal static ProxyValues From(JsonObject? proxy) => new()
    {
        AutoInject = proxy.Text("autoInject") ?? "",
        Image = proxy.Text("image") ?? "",
        ClusterDomain = proxy.Text("clusterDomain") ?? "",
        LogLevel = proxy.Text("logLevel") ?? "",
        ComponentLogLevel = proxy.Text("componentLogLevel") ?? "",
        Tracer = proxy.Text("tracer") ?? "",
        Privileged = proxy.Flag("privileged"),
        EnableCoreDump = proxy.Flag("enableCoreDump"),
        CapNetBindService = proxy.Text("capNetBindService") ?? "",
        HoldApplication = proxy.Flag("holdApplicationUntilProxyStarts"),
        StatusPort = proxy.Text("statusPort") ?? "0",
        ReadinessInitialDelaySeconds = proxy.Text("readinessInitialDelaySeconds") ?? "0",
        ReadinessPeriodSeconds = proxy.Text("readinessPeriodSeconds") ?? "0",
        ReadinessFailureThreshold = proxy.Text("readinessFailureThreshold") ?? "0",
        StartupProbe = proxy.Object("startupProbe").Flag("enabled"),
        StartupFailureThreshold = proxy.Object("startupProbe").Number("failureThreshold") ?? 0,
        IncludeIpRanges = proxy.Text("includeIPRanges") ?? "",
        ExcludeIpRanges = proxy.Text("excludeIPRanges") ?? "",
        IncludeInboundPorts = proxy.Text("includeInboundPorts") ?? "",
        ExcludeInboundPorts = proxy.Text("excludeInboundPorts") ?? "",
        IncludeOutboundPorts = proxy.Text("includeOutboundPorts") ?? "",
        ExcludeOutboundPorts = proxy.Text("excludeOutboundPorts") ?? "",
        Lifecycle = proxy.Object("lifecycle") ?? [],
        SeccompProfile = proxy.Object("seccompProfile") ?? [],
        OutlierLogPath = proxy.Text("outlierLogPath") ?? "",
        Resources = proxy.Object("resources") ?? [],
    };
}
