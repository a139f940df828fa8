using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Parts that the containers of several templates share.</summary>
internal static class ProxyContainer
{
    // 15021 is the proxy's own health listener, 15090 its metrics (interception.md, ports).
    public const int HealthPort = 15021;
    public const int MetricsPort = 15090;

    // Three seconds for an answer that takes a proxy under load no more than milliseconds (Istio's number).
    private const int ProbeTimeoutSeconds = 3;

    /// <param name="decision">What was decided.</param>
    /// <param name="role">`sidecar` or `router`.</param>
    public static JsonArray Arguments(SidecarDecision decision, string role)
    {
        List<string> arguments =
        [
            "proxy",
            role,
            "--domain",
            $"$(POD_NAMESPACE).svc.{decision.ClusterDomain}",
            $"--proxyLogLevel={decision.ProxyLogLevel}",
            $"--proxyComponentLogLevel={decision.ComponentLogLevel}",
            $"--log_output_level={decision.AgentLogLevel}",
        ];
        if (decision.StsPort > 0)
            arguments.Add($"--stsPort={decision.StsPort.ToString(CultureInfo.InvariantCulture)}");
        if (decision.LogAsJson)
            arguments.Add("--log_as_json");
        return arguments.ToJsonList();
    }

    public static void SetPullPolicy(JsonObject container, SidecarDecision decision)
    {
        if (decision.ImagePullPolicy.Length > 0)
            container["imagePullPolicy"] = decision.ImagePullPolicy;
    }

    public static JsonArray MetricsPorts() => new(Port("http-envoy-prom", MetricsPort));

    public static JsonObject Port(string name, int port) => new()
    {
        ["containerPort"] = port,
        ["protocol"] = "TCP",
        ["name"] = name,
    };

    public static JsonObject ReadinessProbe(SidecarDecision decision, int port)
    {
        var probe = Probe(port);
        if (decision.ReadinessInitialDelaySeconds > 0)
            probe["initialDelaySeconds"] = decision.ReadinessInitialDelaySeconds;
        probe["periodSeconds"] = decision.ReadinessPeriodSeconds;
        probe["failureThreshold"] = decision.ReadinessFailureThreshold;
        return probe;
    }

    public static JsonObject StartupProbe(int failures)
    {
        var probe = Probe(HealthPort);
        probe["periodSeconds"] = 1;
        probe["failureThreshold"] = failures;
        return probe;
    }

    /// <summary>A lifecycle with one hook that runs our own executable in the container.</summary>
    public static JsonObject Hook(string name, params string[] command) => new()
    {
        [name] = new JsonObject
        {
            ["exec"] = new JsonObject { ["command"] = command.Prepend("meshproxy").ToJsonList() },
        },
    };

    public static JsonArray PullSecrets(SidecarDecision decision) =>
        new([.. decision.ImagePullSecrets.Select(name => new JsonObject { ["name"] = name })]);

    public static JsonObject CanonicalLabels(SidecarDecision decision) => new()
    {
        [MeshNames.CanonicalNameLabel] = decision.CanonicalName,
        [MeshNames.CanonicalRevisionLabel] = decision.CanonicalRevision,
    };

    private static JsonObject Probe(int port) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = "/healthz/ready", ["port"] = port },
        ["timeoutSeconds"] = ProbeTimeoutSeconds,
    };
}
