using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>
/// ProxyConfig (istio/api mesh/v1alpha1) as a tree of its JSON names, checked against the message's fields. A pod's own
/// annotation replaces the mesh's fields one by one; `proxyMetadata` and `proxyHeaders` merge by key.
/// </summary>
public sealed class ProxyConfiguration
{
    private enum Kind
    {
        Text,
        Whole,
        WrappedWhole,
        WrappedFlag,
        Duration,
        Choice,
        Message,
        TextMap,
        TextList,
    }

    // Field, kind, and the value that is the same as none: mesh.DefaultProxyConfig() of Istio.
    private static readonly Dictionary<string, (Kind Kind, string? Default)> Fields = new(StringComparer.Ordinal)
    {
        ["configPath"] = (Kind.Text, "./etc/istio/proxy"),
        ["binaryPath"] = (Kind.Text, "/usr/local/bin/envoy"),
        ["serviceCluster"] = (Kind.Text, "istio-proxy"),
        ["tracingServiceName"] = (Kind.Choice, "APP_LABEL_AND_NAMESPACE"),
        ["drainDuration"] = (Kind.Duration, "45s"),
        ["parentShutdownDuration"] = (Kind.Duration, "60s"),
        ["discoveryAddress"] = (Kind.Text, "istiod.istio-system.svc:15012"),
        ["zipkinAddress"] = (Kind.Text, ""),
        ["statsdUdpAddress"] = (Kind.Text, ""),
        ["proxyAdminPort"] = (Kind.Whole, "15000"),
        ["controlPlaneAuthPolicy"] = (Kind.Choice, "MUTUAL_TLS"),
        ["customConfigFile"] = (Kind.Text, ""),
        ["statNameLength"] = (Kind.Whole, "189"),
        ["concurrency"] = (Kind.WrappedWhole, null),
        ["proxyBootstrapTemplatePath"] = (Kind.Text, ""),
        ["interceptionMode"] = (Kind.Choice, "REDIRECT"),
        ["tracing"] = (Kind.Message, null),
        ["envoyAccessLogService"] = (Kind.Message, null),
        ["envoyMetricsService"] = (Kind.Message, null),
        ["proxyMetadata"] = (Kind.TextMap, null),
        ["runtimeValues"] = (Kind.TextMap, null),
        ["statusPort"] = (Kind.Whole, "15020"),
        ["extraStatTags"] = (Kind.TextList, null),
        ["terminationDrainDuration"] = (Kind.Duration, "5s"),
        ["meshId"] = (Kind.Text, ""),
        ["readinessProbe"] = (Kind.Message, null),
        ["proxyStatsMatcher"] = (Kind.Message, null),
        ["holdApplicationUntilProxyStarts"] = (Kind.WrappedFlag, null),
        ["caCertificatesPem"] = (Kind.TextList, null),
        ["image"] = (Kind.Message, null),
        ["privateKeyProvider"] = (Kind.Message, null),
        ["proxyHeaders"] = (Kind.Message, null),
        ["fileFlushInterval"] = (Kind.Duration, null),
        ["fileFlushMinSizeKb"] = (Kind.WrappedWhole, null),
        ["statsCompression"] = (Kind.WrappedFlag, null),
        ["statsEvictionInterval"] = (Kind.Duration, null),
    };

    private static readonly Dictionary<string, string[]> Choices = new(StringComparer.Ordinal)
    {
        ["tracingServiceName"] = ["APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"],
        ["controlPlaneAuthPolicy"] = ["NONE", "MUTUAL_TLS", "INHERIT"],
        ["interceptionMode"] = ["REDIRECT", "TPROXY", "NONE"],
    };

    private static readonly string[] MergedMaps = ["proxyMetadata", "proxyHeaders"];

    private readonly JsonObject _tree;

    private ProxyConfiguration(JsonObject tree) => _tree = tree;

    /// <summary>Names that were given and are no fields of ours: a newer Istio's, or mistakes. They have no effect.</summary>
    public IReadOnlyList<string> Unknown { get; private init; } = [];

    public string InterceptionMode => _tree.Text("interceptionMode") ?? "REDIRECT";
    public bool HoldApplication => _tree.Flag("holdApplicationUntilProxyStarts");
    public int StatusPort => _tree.Number("statusPort") ?? 15020;
    public string ImageType => _tree.Object("image").Text("imageType") ?? "";

    /// <summary>Environment variables of the containers, in the order of their names.</summary>
    public IReadOnlyDictionary<string, string> Metadata =>
        new SortedDictionary<string, string>(_tree.TextMap("proxyMetadata").ToDictionary(), StringComparer.Ordinal);

    /// <exception cref="ManifestException">A field has a value of another kind.</exception>
    public static ProxyConfiguration From(JsonObject given, string what)
    {
        var tree = new JsonObject();
        List<string> unknown = [];
        foreach (var (name, value) in given)
        {
            var field = JsonName(name);
            if (!Fields.TryGetValue(field, out var rule))
                unknown.Add(name);
            else if (value is not null)
                tree[field] = Checked(field, rule.Kind, value, what);
        }
        return new ProxyConfiguration(tree) { Unknown = unknown };
    }

    /// <summary>This configuration with the fields of a pod's `proxy.istio.io/config` annotation on top.</summary>
    public ProxyConfiguration With(string yaml, string what)
    {
        JsonObject given;
        try
        {
            given = YamlReader.ReadObject(yaml, what);
        }
        catch (ManifestException e)
        {
            throw new ManifestException($"could not parse proxy config: {e.Message}", e);
        }
        var tree = _tree.DeepClone().AsObject();
        var own = From(given, what);
        foreach (var (name, value) in own._tree)
        {
            if (MergedMaps.Contains(name) && value is JsonObject map && tree[name] is JsonObject present)
                ValuesReader.Overlay(present, map);
            else
                tree[name] = value?.DeepClone();
        }
        return new ProxyConfiguration(tree) { Unknown = own.Unknown };
    }

    /// <summary>The JSON that the agent gets: what differs from its own defaults.</summary>
    public string DifferenceFromDefaults()
    {
        var difference = new JsonObject();
        foreach (var (name, value) in _tree)
        {
            var text = NodeReading.AsText(value);
            var (kind, same) = Fields[name];
            var absent = text is not null && (text == same || (same is not null && text is "" or "0" && kind is Kind.Text or Kind.Whole));
            var emptyMap = kind is Kind.TextMap or Kind.TextList && value is JsonObject { Count: 0 } or JsonArray { Count: 0 };
            if (!absent && !emptyMap)
                difference[name] = value?.DeepClone();
        }
        return JsonText.Write(difference);
    }

    private static JsonNode Checked(string field, Kind kind, JsonNode value, string what)
    {
        var text = NodeReading.AsText(value);
        switch (kind)
        {
            case Kind.Text when value.GetValueKind() == JsonValueKind.String:
                return value.DeepClone();
            case Kind.Whole or Kind.WrappedWhole
                when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole):
                return whole;
            case Kind.WrappedFlag when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False:
                return text == "true";
            case Kind.Duration when text is [.., 's'] && decimal.TryParse(
                text[..^1], NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                return text;
            case Kind.Choice when text is not null && Choices[field].Contains(text):
                return text;
            case Kind.Message when value is JsonObject:
                return value.DeepClone();
            // As protobuf's JSON: a number or true without quotes is no text.
            case Kind.TextMap when value is JsonObject map
                && map.All(entry => entry.Value?.GetValueKind() == JsonValueKind.String):
                return map.DeepClone();
            case Kind.TextList when value is JsonArray list && list.All(member => member is JsonValue or JsonObject):
                return value.DeepClone();
            default:
                throw new ManifestException(
                    $"could not parse proxy config: {what} has {field}: {value.Compact()}, which must be {Expected(field, kind)}; correct it");
        }
    }

    private static string Expected(string field, Kind kind) => kind switch
    {
        Kind.Text => "text (in quotes if it looks like a number or true)",
        Kind.Whole or Kind.WrappedWhole => "a whole number",
        Kind.WrappedFlag => "true or false",
        Kind.Duration => "a duration in seconds such as 20s",
        Kind.Choice => "one of " + string.Join(", ", Choices[field]),
        Kind.TextMap => "a map of names to text in quotes",
        Kind.TextList => "a list",
        _ => "a map",
    };

    // Protobuf's JSON takes the proto name (snake_case) as well.
    private static string JsonName(string name)
    {
        if (!name.Contains('_', StringComparison.Ordinal))
            return name;
        var words = name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(word =>
            word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
