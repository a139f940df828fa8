using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Which traffic is redirected to the proxy, and how: the arguments of `meshproxy init` (interception.md 1).</summary>
internal sealed record TrafficCapture
{
    // Metrics and health of the proxy itself are asked for without its mTLS.
    private const string AlwaysExcluded = "15090,15021";

    public required string Mode { get; init; }
    public required long ProxyUser { get; init; }
    public required string IncludeOutboundRanges { get; init; }
    public required string ExcludeOutboundRanges { get; init; }
    public required string IncludeInboundPorts { get; init; }

    /// <summary>The user's list with the status port, which the kubelet asks.</summary>
    public required string ExcludeInboundPorts { get; init; }
    public required string? IncludeOutboundPorts { get; init; }
    public required string? ExcludeOutboundPorts { get; init; }
    public required string? RerouteInterfaces { get; init; }
    public required string? KubevirtInterfaces { get; init; }
    public required string? ExcludeInterfaces { get; init; }

    public bool Captures => Mode != "NONE";

    public bool Transparent => Mode == "TPROXY";

    public static TrafficCapture From(TemplateInput input, string statusPort)
    {
        var proxy = input.Values.Proxy;
        var mode = input.Annotation(MeshNames.InterceptionMode, input.ProxyConfig.InterceptionMode);
        return new TrafficCapture
        {
            Mode = mode,
            ProxyUser = mode == "TPROXY" ? ProxyIdentity.Default.User : input.Identity.User,
            IncludeOutboundRanges = input.Annotation(MeshNames.IncludeOutboundRanges, proxy.IncludeIpRanges),
            ExcludeOutboundRanges = input.Annotation(MeshNames.ExcludeOutboundRanges, proxy.ExcludeIpRanges),
            IncludeInboundPorts = input.Annotation(MeshNames.IncludeInboundPorts, proxy.IncludeInboundPorts),
            ExcludeInboundPorts = WithPort(
                input.Annotation(MeshNames.ExcludeInboundPorts, proxy.ExcludeInboundPorts), statusPort),
            IncludeOutboundPorts = input.Pod.Annotation(MeshNames.IncludeOutboundPorts) ?? NoneIfEmpty(proxy.IncludeOutboundPorts),
            ExcludeOutboundPorts = input.Pod.Annotation(MeshNames.ExcludeOutboundPorts) ?? NoneIfEmpty(proxy.ExcludeOutboundPorts),
            RerouteInterfaces = input.Pod.Annotation(MeshNames.RerouteInterfaces),
            KubevirtInterfaces = input.Pod.Annotation(MeshNames.KubevirtInterfaces),
            ExcludeInterfaces = input.Pod.Annotation(MeshNames.ExcludeInterfaces),
        };
    }

    public JsonArray Arguments(SidecarDecision decision)
    {
        List<string> arguments =
        [
            "init",
            "-p", "15001",
            "-z", "15006",
            "-u", ProxyUser.ToString(CultureInfo.InvariantCulture),
            "-m", Mode,
            "-i", IncludeOutboundRanges,
            "-x", ExcludeOutboundRanges,
            "-b", IncludeInboundPorts,
            "-d", ExcludeInboundPorts.Length > 0 ? $"{AlwaysExcluded},{ExcludeInboundPorts}" : AlwaysExcluded,
        ];
        AddPair(arguments, "-q", IncludeOutboundPorts);
        AddPair(arguments, "-o", ExcludeOutboundPorts);
        AddPair(arguments, "-k", RerouteInterfaces ?? KubevirtInterfaces);
        AddPair(arguments, "-c", ExcludeInterfaces);
        arguments.Add($"--log_output_level={decision.AgentLogLevel}");
        if (decision.LogAsJson)
            arguments.Add("--log_as_json");
        if (decision.Cni)
        {
            // The CNI plugin has set the rules; what is left is to prove that they work before anything else starts.
            arguments.Add("--run-validation");
            arguments.Add("--skip-rule-apply");
        }
        else if (decision.ForceApplyRules)
        {
            arguments.Add("--force-apply");
        }
        if (decision.NativeNftables)
            arguments.Add("--native-nftables");
        return arguments.ToJsonList();
    }

    /// <summary>The effective values as annotations, for the CNI plugin, which sees the pod and not our values.</summary>
    public IEnumerable<KeyValuePair<string, string>> Announcements()
    {
        yield return new(MeshNames.InterceptionMode, Mode);
        (string Name, string? Value)[] others =
        [
            (MeshNames.IncludeOutboundRanges, IncludeOutboundRanges),
            (MeshNames.ExcludeOutboundRanges, ExcludeOutboundRanges),
            (MeshNames.IncludeInboundPorts, IncludeInboundPorts),
            (MeshNames.IncludeOutboundPorts, IncludeOutboundPorts),
            (MeshNames.ExcludeOutboundPorts, ExcludeOutboundPorts),
            (MeshNames.KubevirtInterfaces, KubevirtInterfaces),
            (MeshNames.RerouteInterfaces, RerouteInterfaces),
            (MeshNames.ExcludeInterfaces, ExcludeInterfaces),
        ];
        foreach (var (name, value) in others)
        {
            if (!string.IsNullOrEmpty(value))
                yield return new(name, value);
        }
        yield return new(MeshNames.ExcludeInboundPorts, ExcludeInboundPorts);
    }

    private static void AddPair(List<string> arguments, string flag, string? value)
    {
        if (value is null)
            return;
        arguments.Add(flag);
        arguments.Add(value);
    }

    private static string WithPort(string ports, string port)
    {
        if (port is "" or "0" || ports.Split(',').Any(listed => listed.Trim() == port))
            return ports;
        return ports.Length == 0 ? port : $"{ports},{port}";
    }

    private static string? NoneIfEmpty(string value) => value.Length > 0 ? value : null;
}
