using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Cni.Installation;

/// <summary>
/// Puts our plugin into a network configuration of somebody else, and takes it out again. Ours comes last: the
/// interface, its addresses and what others do to them (bridge, calico, weave-net, bandwidth, portmap) have to be there
/// before. Everything else stays as it was.
/// </summary>
internal static class ChainedPlugin
{
    /// <summary>A configuration that the runtime can use: a list with plugins, or a single plugin.</summary>
    public static JsonObject? TryRead(string text) =>
        Json.TryParse(text) is { } config
            && (Json.Array(config, "plugins") is { Count: > 0 } || Json.String(config, "type") is not null)
            ? config
            : null;

    public static bool IsList(JsonObject config) => config["plugins"] is not null;

    /// <summary>
    /// The list with our plugin last; a single plugin becomes a list of two under its own name and version.
    /// </summary>
    /// <exception cref="InterceptionException">The configuration is no list of plugins.</exception>
    public static JsonObject Insert(JsonObject config, JsonObject own)
    {
        var list = IsList(config) ? (JsonObject)config.DeepClone() : Wrap(config);
        if (Json.Array(list, "plugins") is not { } plugins)
            throw new InterceptionException(
                "The network configuration's \"plugins\" is no list: nothing can be added to it.");
        RemoveOwn(plugins);
        plugins.Add(own.DeepClone());
        return list;
    }

    /// <summary>The list without our plugin.</summary>
    public static JsonObject Remove(JsonObject config)
    {
        var list = (JsonObject)config.DeepClone();
        if (Json.Array(list, "plugins") is { } plugins)
            RemoveOwn(plugins);
        return list;
    }

    /// <summary>Our entry is there as we would write it, after a plugin that makes the interface.</summary>
    public static bool IsInserted(JsonObject config, JsonObject own) =>
        Json.Array(config, "plugins") is { } plugins
        && plugins.Where(IsOwn).ToList() is [{ } entry]
        && plugins.IndexOf(entry) > 0
        && JsonNode.DeepEquals(entry, own);

    public static bool Contains(JsonObject config) => Json.Array(config, "plugins")?.Any(IsOwn) == true;

    private static bool IsOwn(JsonNode? plugin) => Json.String(plugin, "type") == PluginConfiguration.PluginType;

    private static void RemoveOwn(JsonArray plugins)
    {
        for (var i = plugins.Count - 1; i >= 0; i--)
            if (IsOwn(plugins[i]))
                plugins.RemoveAt(i);
    }

    // Name and version stay: the runtime finds running pods' attachments by the name, and an older version would lose
    // CHECK. Lists came with version 0.3.0; an older single plugin is raised to the version that everybody knows.
    private static JsonObject Wrap(JsonObject single)
    {
        var plugin = (JsonObject)single.DeepClone();
        plugin.Remove("cniVersion", out var version);
        plugin.Remove("name", out var name);
        return new JsonObject
        {
            ["cniVersion"] = version is null || $"{version}" is "" or "0.1.0" or "0.2.0" ? "0.3.1" : version,
            ["name"] = name ?? "k8s-pod-network",
            ["plugins"] = new JsonArray(plugin),
        };
    }
}
