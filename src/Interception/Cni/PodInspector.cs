using System.Text.Json.Nodes;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Cni;

/// <summary>
/// Reads from a pod whether and how it is intercepted: the annotations an injector and its users write, and the proxy's
/// container.
/// </summary>
internal static class PodInspector
{
    private const string ProxyContainer = "istio-proxy";
    private const string InitContainer = "istio-init";

    private const string Status = "sidecar.istio.io/status";
    private const string Inject = "sidecar.istio.io/inject";
    private const string Mode = "sidecar.istio.io/interceptionMode";

    // Environment of the proxy's container that says how to intercept (proxyMetadata ends up there).
    private static readonly string[] ProxyEnvironment =
    [
        "ISTIO_META_DNS_CAPTURE", "INVALID_DROP", "ISTIO_DUAL_STACK",
        Flags.LoopbackEnvironment, Flags.OwnerGroupsEnvironment, Flags.OwnerGroupsExcludeEnvironment,
    ];

    public static PodDecision Inspect(JsonObject pod)
    {
        var spec = Json.Object(pod, "spec");
        if (Json.Boolean(spec, "hostNetwork") == true)
            return PodDecision.Skip("it uses the node's network");
        var containers = Containers(spec, "initContainers").Concat(Containers(spec, "containers")).ToList();
        if (containers.Exists(c => Json.String(c, "name") == InitContainer))
            return PodDecision.Skip($"its container {InitContainer} sets up interception");
        var proxy = containers.Find(c => Json.String(c, "name") == ProxyContainer);
        if (proxy is null)
            return PodDecision.Skip($"it has no container {ProxyContainer}");
        var environment = EnvironmentOf(proxy);
        if (IsTrue(environment.GetValueOrDefault("DISABLE_ENVOY")))
            return PodDecision.Skip("its proxy does not proxy (DISABLE_ENVOY)");
        if (Json.Array(proxy, "args") is [var first, var type, ..]
            && $"{first}" == "proxy" && $"{type}" is not "sidecar")
            return PodDecision.Skip($"its proxy is a {type}, not a sidecar");
        var metadata = Json.Object(pod, "metadata");
        var annotations = Strings(Json.Object(metadata, "annotations"));
        var inject =
            Strings(Json.Object(metadata, "labels")).GetValueOrDefault(Inject) ?? annotations.GetValueOrDefault(Inject);
        if (IsFalse(inject))
            return PodDecision.Skip($"{Inject} is false");
        if (!annotations.ContainsKey(Status))
            return PodDecision.Skip($"it has no annotation {Status}");
        return annotations.GetValueOrDefault(Mode) is "NONE"
            ? PodDecision.Skip($"{Mode} is NONE")
            : new PodDecision(null, FlagsOf(annotations, proxy, environment), Selected(environment));
    }

    private static Dictionary<string, string> FlagsOf(
        Dictionary<string, string> annotations, JsonObject proxy, Dictionary<string, string> environment)
    {
        if (annotations.GetValueOrDefault(Mode) is { } mode && mode is not ("REDIRECT" or "TPROXY"))
            throw new InterceptionException(
                $"The annotation {Mode} is \"{mode}\": REDIRECT, TPROXY and NONE are the modes there are.");
        var security = Json.Object(proxy, "securityContext");
        var dns = IsTrue(environment.GetValueOrDefault("ISTIO_META_DNS_CAPTURE")) ? "true" : "false";
        return new Dictionary<string, string>
        {
            [Flags.Mode] = annotations.GetValueOrDefault(Mode) ?? "REDIRECT",
            [Flags.ProxyUid] = Identity(security, "runAsUser"),
            [Flags.ProxyGid] = Identity(security, "runAsGroup"),
            [Flags.OutboundRanges] = Traffic("includeOutboundIPRanges", "*"),
            [Flags.OutboundRangesExclude] = Traffic("excludeOutboundIPRanges", ""),
            [Flags.OutboundPorts] = Traffic("includeOutboundPorts", ""),
            // The default that Istio's plugin has, and its init container has not.
            [Flags.OutboundExclude] = Traffic("excludeOutboundPorts", $"{Ports.Agent}"),
            [Flags.InboundPorts] = Traffic("includeInboundPorts", "*"),
            [Flags.InboundExclude] = ExcludedInbound(Traffic("excludeInboundPorts", $"{Ports.Agent}")),
            [Flags.ExcludeInterfaces] = Traffic("excludeInterfaces", ""),
            [Flags.VirtualInterfaces] =
                annotations.GetValueOrDefault("istio.io/reroute-virtual-interfaces")
                    ?? Traffic("kubevirtInterfaces", ""),
            [Flags.RedirectDns] = dns,
            // The pod's resolv.conf cannot be seen from the node.
            [Flags.CaptureAllDns] = dns,
        };

        string Traffic(string name, string absent) =>
            annotations.GetValueOrDefault($"traffic.sidecar.istio.io/{name}") ?? absent;
    }

    private static string ExcludedInbound(string given) =>
        string.Join(',', given.Split(',')
            .Concat([$"{Ports.Agent}", $"{Ports.Readiness}", $"{Ports.Prometheus}"])
            .Select(port => port.Trim()).Where(port => port.Length > 0).Distinct());

    // Root is no identity that could tell the proxy from others.
    private static string Identity(JsonObject? security, string name) =>
        Json.Integer(security, name) is { } id and > 0 ? $"{id}" : Owners.DefaultId;

    private static Dictionary<string, string> Selected(Dictionary<string, string> environment)
    {
        var selected = environment.Where(pair => ProxyEnvironment.Contains(pair.Key)).ToDictionary();
        foreach (var name in new[] { Flags.OwnerGroupsEnvironment, Flags.OwnerGroupsExcludeEnvironment })
            if (selected.GetValueOrDefault(name) is { } groups && groups.Any(char.IsAsciiLetter))
                throw new InterceptionException(
                    $"{name} is \"{groups}\": with CNI groups are given by number, because names would be looked up "
                    + $"on the node.");
        return selected;
    }

    private static IEnumerable<JsonObject> Containers(JsonObject? spec, string name) =>
        Json.Array(spec, name)?.OfType<JsonObject>() ?? [];

    private static Dictionary<string, string> EnvironmentOf(JsonObject container)
    {
        var environment = new Dictionary<string, string>();
        foreach (var variable in Json.Array(container, "env")?.OfType<JsonObject>() ?? [])
            if (Json.String(variable, "name") is { } name && Json.String(variable, "value") is { } value)
                environment[name] = value;
        return environment;
    }

    private static Dictionary<string, string> Strings(JsonObject? map)
    {
        var strings = new Dictionary<string, string>();
        foreach (var (name, _) in map ?? [])
            if (Json.String(map, name) is { } value)
                strings[name] = value;
        return strings;
    }

    private static bool IsTrue(string? text) => text is "1" or "t" or "T" or "true" or "TRUE" or "True";

    private static bool IsFalse(string? text) =>
        text is "0" or "f" or "F" or "false" or "FALSE" or "False" or "n" or "no" or "off";
}
