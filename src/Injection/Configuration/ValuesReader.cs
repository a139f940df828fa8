using System.Reflection;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>The default values with a values file on top, as Helm lays one on the other: maps merge, null deletes.</summary>
public static class ValuesReader
{
    // Sections that are about injection alone: a name in them that we do not know is a mistake or a feature that we lack.
    private static readonly string[][] OwnSections =
        [["global", "proxy"], ["global", "proxy_init"], ["sidecarInjectorWebhook"]];

    /// <param name="yaml">Values that differ from the defaults, or null.</param>
    /// <param name="what">How a message names the file.</param>
    /// <param name="warn">Told of names that have no effect.</param>
    /// <exception cref="ManifestException">The text is no YAML map.</exception>
    public static InjectionValues Read(string? yaml, string what, Action<string> warn)
    {
        var tree = Defaults();
        if (yaml is not null)
        {
            var given = YamlReader.ReadObject(yaml, what);
            WarnOfUnknown(tree, given, what, warn);
            Overlay(tree, given);
        }
        return InjectionValues.From(tree);
    }

    private static JsonObject Defaults()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("defaults.yaml")!;
        using var reader = new StreamReader(stream);
        return YamlReader.ReadObject(reader.ReadToEnd(), "defaults.yaml");
    }

    internal static void Overlay(JsonObject target, JsonObject given)
    {
        foreach (var (name, value) in given)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject map && target[name] is JsonObject present)
                Overlay(present, map);
            else
                target[name] = value.DeepClone();
        }
    }

    private static void WarnOfUnknown(JsonObject defaults, JsonObject given, string what, Action<string> warn)
    {
        foreach (var path in OwnSections)
        {
            JsonNode? known = defaults, section = given;
            foreach (var name in path)
                (known, section) = (known.Object(name), section.Object(name));
            foreach (var (name, _) in section as JsonObject ?? [])
            {
                if (!((JsonObject)known!).ContainsKey(name))
                    warn($"{what}: {string.Join('.', path)}.{name} has no effect on injection");
            }
        }
    }
}
