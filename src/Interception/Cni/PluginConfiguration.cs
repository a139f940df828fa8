using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Cni;

/// <summary>
/// Our own part of the network configuration, in its key <c>meshproxy</c>. With a kubeconfig the pod's annotations
/// decide; without one every attachment gets the arguments given here.
/// </summary>
internal sealed record PluginConfiguration
{
    public const string PluginType = "meshproxy-cni";
    public const string Key = "meshproxy";
    public const string DefaultStateDirectory = "/var/run/meshproxy-cni";

    private static readonly string[] KnownKeys =
    [
        "kubeconfig", "excludeNamespaces", "agentNamespace", "agentPodPrefix", "stateDirectory", "nativeNftables",
        "forceIptablesBinary", "arguments",
    ];

    public string Kubeconfig { get; private init; } = "";

    public ImmutableArray<string> ExcludedNamespaces { get; private init; } = [];

    /// <summary>The installer's own pods: they have to start while nothing of this works yet.</summary>
    public string AgentNamespace { get; private init; } = "";
    public string AgentPodPrefix { get; private init; } = "meshproxy-cni-";

    public string StateDirectory { get; private init; } = DefaultStateDirectory;

    public bool NativeNftables { get; private init; }

    public string ForcedIptables { get; private init; } = "";

    /// <summary>Arguments as of `init`, without Kubernetes.</summary>
    public ImmutableArray<string> Arguments { get; private init; } = [];

    /// <exception cref="CniException">A key is unknown or of the wrong type.</exception>
    public static PluginConfiguration Read(JsonObject input)
    {
        if (input[Key] is null)
            return new PluginConfiguration();
        if (input[Key] is not JsonObject own)
            throw Bad($"\"{Key}\" is not an object");
        if (own.Select(pair => pair.Key).FirstOrDefault(key => !KnownKeys.Contains(key)) is { } unknown)
            throw Bad($"\"{Key}\" has the unknown key \"{unknown}\"; it knows {string.Join(", ", KnownKeys)}");
        return new PluginConfiguration
        {
            Kubeconfig = Text(own, "kubeconfig", ""),
            ExcludedNamespaces = Texts(own, "excludeNamespaces"),
            AgentNamespace = Text(own, "agentNamespace", ""),
            AgentPodPrefix = Text(own, "agentPodPrefix", "meshproxy-cni-"),
            StateDirectory = Text(own, "stateDirectory", DefaultStateDirectory),
            NativeNftables = own["nativeNftables"] is not null
                && (Json.Boolean(own, "nativeNftables") ?? throw Bad("\"nativeNftables\" is neither true nor false")),
            ForcedIptables = Text(own, "forceIptablesBinary", ""),
            Arguments = Texts(own, "arguments"),
        };
    }

    private static string Text(JsonObject own, string name, string absent) =>
        own[name] is null ? absent : Json.String(own, name) ?? throw Bad($"\"{name}\" is not a string");

    private static ImmutableArray<string> Texts(JsonObject own, string name)
    {
        if (own[name] is null)
            return [];
        if (own[name] is not JsonArray array || array.Any(node => node is not JsonValue v || !v.TryGetValue<string>(out _)))
            throw Bad($"\"{name}\" is not a list of strings");
        return [.. array.Select(node => node!.GetValue<string>())];
    }

    private static CniException Bad(string what) =>
        new(CniException.BadConfiguration, $"The network configuration cannot be used: {what}.");
}
