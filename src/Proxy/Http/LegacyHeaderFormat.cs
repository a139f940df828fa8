using System.Text.Json;
using System.Text.RegularExpressions;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http;

/// <summary>
/// Rewrites the older notation of header values into today's: `%DYNAMIC_METADATA(["ns", "key"])%` is
/// `%DYNAMIC_METADATA(ns:key)%`, `%PER_REQUEST_STATE(name)%` is `%FILTER_STATE(name:PLAIN)%` (http-semantics 8.2).
/// </summary>
internal static partial class LegacyHeaderFormat
{
    public static string Translate(string value, string field)
    {
        if (!value.Contains("_METADATA([", StringComparison.Ordinal) && !value.Contains("%PER_REQUEST_STATE(", StringComparison.Ordinal))
        {
            return value;
        }
        var translated = Metadata().Replace(value, match => $"%{match.Groups[1].Value}_METADATA({Joined(match.Groups[2].Value, field)})%");
        return PerRequestState().Replace(translated, "%FILTER_STATE($1:PLAIN)%");
    }

    private static string Joined(string list, string field)
    {
        try
        {
            using var document = JsonDocument.Parse(list);
            var parts = new List<string>();
            foreach (var part in document.RootElement.EnumerateArray())
            {
                parts.Add(part.GetString() ?? "");
            }
            return string.Join(':', parts);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw new ConfigurationException($"{field}: '{list}' is no list of texts; write the command as NAMESPACE:KEY.", wrong);
        }
    }

    [GeneratedRegex(@"%(UPSTREAM|DYNAMIC)_METADATA\((\[[^\]]*\])\)%", RegexOptions.CultureInvariant)]
    private static partial Regex Metadata();

    [GeneratedRegex(@"%PER_REQUEST_STATE\(([^)]+)\)%", RegexOptions.CultureInvariant)]
    private static partial Regex PerRequestState();
}
