using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>
/// What values, mesh configuration and annotations come to for one pod: everything that differs from pod to pod, decided
/// once. Templates only lay it out.
/// </summary>
internal sealed record SidecarDecision
{
    public required string Revision { get; init; }
    public required string Image { get; init; }
    public required string InitImage { get; init; }
    public required string ImagePullPolicy { get; init; }
    public required ImmutableArray<string> ImagePullSecrets { get; init; }

    public required bool Native { get; init; }
    public required bool HoldApplication { get; init; }
    public required bool Cni { get; init; }
    public required bool NativeNftables { get; init; }
    public required bool ForceApplyRules { get; init; }
    public required TrafficCapture Capture { get; init; }

    /// <summary>The agent's port for probes and merged metrics; 0 for none.</summary>
    public required string StatusPort { get; init; }
    public required int ReadinessInitialDelaySeconds { get; init; }
    public required int ReadinessPeriodSeconds { get; init; }
    public required int ReadinessFailureThreshold { get; init; }

    /// <summary>Failures, one a second, after which the kubelet gives the proxy up; null for no startup probe.</summary>
    public required int? StartupFailureThreshold { get; init; }
    public required JsonObject Lifecycle { get; init; }

    public required string ProxyLogLevel { get; init; }
    public required string ComponentLogLevel { get; init; }
    public required string AgentLogLevel { get; init; }
    public required bool LogAsJson { get; init; }
    public required string ClusterDomain { get; init; }
    public required int StsPort { get; init; }

    public required JsonObject Resources { get; init; }
    public required bool Privileged { get; init; }
    public required bool TraceRules { get; init; }
    public required bool BindLowPorts { get; init; }
    public required bool WritableRoot { get; init; }
    public required JsonObject SeccompProfile { get; init; }
    public required ProxyIdentity Identity { get; init; }

    /// <summary>`proxyMetadata` of the proxy configuration: environment of proxy and init container.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    public required string CanonicalName { get; init; }
    public required string CanonicalRevision { get; init; }
    public required ImmutableArray<string> Applications { get; init; }

    public bool HasStatusPort => StatusPort is not ("" or "0");

    public bool RunsAsRoot => Capture.Transparent || BindLowPorts || TraceRules;

    public static SidecarDecision From(TemplateInput input)
    {
        var (values, proxy) = (input.Values, input.Values.Proxy);
        var statusPort = input.Annotation(MeshNames.StatusPort, proxy.StatusPort);
        var image = ProxyImages.Proxy(input);
        return new SidecarDecision
        {
            Revision = input.Revision,
            Image = image,
            InitImage = ProxyImages.Init(input, image),
            ImagePullPolicy = values.ImagePullPolicy,
            ImagePullSecrets = values.ImagePullSecrets,
            Native = input.NativeSidecar,
            HoldApplication = input.ProxyConfig.HoldApplication || proxy.HoldApplication,
            Cni = values.CniEnabled,
            NativeNftables = values.NativeNftables,
            ForceApplyRules = values.ForceApplyRules,
            Capture = TrafficCapture.From(input, statusPort),
            StatusPort = statusPort,
            ReadinessInitialDelaySeconds = Whole(MeshNames.ReadinessInitialDelay, proxy.ReadinessInitialDelaySeconds),
            ReadinessPeriodSeconds = Whole(MeshNames.ReadinessPeriod, proxy.ReadinessPeriodSeconds),
            ReadinessFailureThreshold = Whole(MeshNames.ReadinessFailures, proxy.ReadinessFailureThreshold),
            StartupFailureThreshold = proxy.StartupProbe ? proxy.StartupFailureThreshold : null,
            Lifecycle = proxy.Lifecycle,
            ProxyLogLevel = input.Annotation(MeshNames.LogLevel, proxy.LogLevel),
            ComponentLogLevel = input.Annotation(MeshNames.ComponentLogLevel, proxy.ComponentLogLevel),
            AgentLogLevel = input.Annotation(MeshNames.AgentLogLevel, values.AgentLogLevel),
            LogAsJson = values.LogAsJson,
            ClusterDomain = proxy.ClusterDomain,
            StsPort = values.StsPort,
            Resources = ProxyResources.Of(input),
            Privileged = proxy.Privileged,
            TraceRules = input.ProxyConfig.Metadata.GetValueOrDefault("IPTABLES_TRACE_LOGGING") == "true",
            BindLowPorts = input.Annotation(MeshNames.CapNetBindService, proxy.CapNetBindService) == "true",
            WritableRoot = proxy.EnableCoreDump,
            SeccompProfile = proxy.SeccompProfile,
            Identity = input.Identity,
            Metadata = input.ProxyConfig.Metadata,
            CanonicalName = CanonicalNames.Service(input),
            CanonicalRevision = CanonicalNames.Revision(input),
            Applications = [.. input.Applications],
        };

        int Whole(string annotation, string otherwise) =>
            int.TryParse(input.Annotation(annotation, otherwise), out var number) ? number : 0;
    }
}
