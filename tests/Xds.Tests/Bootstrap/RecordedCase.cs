using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MeshProxy.Xds.Tests.Bootstrap;

/// <summary>A recorded case of the conformance suite: its bootstrap as text, its arguments, and whether Envoy took it.</summary>
internal sealed partial record RecordedCase(string Name, string? Text, string Extension, IReadOnlyList<string> Arguments, bool IsAccepted)
{
    /// <summary>Stands for every value the runner makes up that is not a port: long enough for a hash.</summary>
    private const string MadeUp = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// <summary>SHA-256 in base64.</summary>
    private const int SpkiLength = 44;

    public static IEnumerable<RecordedCase> All() =>
        Directory.EnumerateFiles(Repository.RecordedCases, "*.json", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(Read);

    private static RecordedCase Read(string file)
    {
        var test = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        var ports = PortNames(test);
        var hasFile = test["noConfigFile"]?.GetValue<bool>() != true;
        var text = test["configText"] is { } given
            ? FillText(given.GetValue<string>(), ports)
            : Fill(test["config"], ports)?.ToJsonString() ?? "{}";
        var expected = test["expected"]!;
        var isAccepted = test["validate"] != null
            ? expected["exitCode"]?.GetValue<int>() == 0
            : test["rejects"]?.GetValueKind() != System.Text.Json.JsonValueKind.True
                && expected["started"]?.GetValue<bool>() != false;
        return new RecordedCase(
            test["name"]!.GetValue<string>(),
            hasFile ? text : null,
            test["configText"] == null ? "json" : test["configExtension"]?.GetValue<string>() ?? "yaml",
            [.. (test["args"]?.AsArray() ?? []).Select(argument => FillText(argument!.ToString(), ports))],
            isAccepted);
    }

    private static HashSet<string> PortNames(JsonObject test) =>
    [
        "listen", "admin",
        .. (test["backends"]?.AsArray() ?? []).Select(backend => backend!["name"]?.ToString() ?? ""),
        .. (test["ports"]?.AsArray() ?? []).Select(port => port!.ToString()),
    ];

    private static JsonNode? Fill(JsonNode? node, HashSet<string> ports) => node switch
    {
        JsonObject value => new JsonObject(
            value.Select(member => KeyValuePair.Create(FillText(member.Key, ports), Fill(member.Value, ports)))),
        JsonArray value => new JsonArray([.. value.Select(item => Fill(item, ports))]),
        JsonValue value when value.TryGetValue<string>(out var text) => FillValue(text, ports),
        _ => node?.DeepClone(),
    };

    /// <summary>A text that is one placeholder of a port becomes a number.</summary>
    private static JsonValue FillValue(string text, HashSet<string> ports)
    {
        var whole = Placeholder().Match(text);
        return whole.Success && whole.Length == text.Length && ports.Contains(whole.Groups[1].Value)
            ? JsonValue.Create(PortOf(whole.Groups[1].Value, ports))
            : JsonValue.Create(FillText(text, ports));
    }

    private static string FillText(string text, HashSet<string> ports) => Placeholder().Replace(
        text,
        match => ports.Contains(match.Groups[1].Value) ? PortOf(match.Groups[1].Value, ports).ToString()
            : match.Groups[1].Value.StartsWith("spki", StringComparison.Ordinal) ? MadeUp[..SpkiLength]
            : MadeUp);

    private static int PortOf(string name, HashSet<string> ports) => 20000 + ports.ToList().IndexOf(name);

    [GeneratedRegex(@"\{\{([\w-]+)\}\}")]
    private static partial Regex Placeholder();
}
