using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace MeshProxy.Agent.Status;

/// <summary>
/// What may be asked of the sources whose metrics are joined: formats that can be. Preferences are said anew, in the
/// order they came.
/// </summary>
internal static class AcceptHeader
{
    private const string Text = "text/plain";
    private const string OpenMetrics = "application/openmetrics-text";
    private const string TextVersion = "0.0.4";
    private const string OldestOpenMetrics = "0.0.1";

    /// <summary>For a source that has the text format alone.</summary>
    public const string TextOnly = Text + ";q=0.1;version=" + TextVersion;

    /// <summary>The formats of a header that an application may choose from.</summary>
    public static string ForApplication(string? accept)
    {
        if (!MediaTypeHeaderValue.TryParseList([accept ?? ""], out var asked))
            return TextOnly;
        var formats = asked.Select(Format).OfType<(string Type, string Version)>().Distinct().ToList();
        return formats.Count == 0
            ? TextOnly
            : string.Join(", ", formats.Select((format, i) => string.Create(
                CultureInfo.InvariantCulture, $"{format.Type};q=0.{Math.Min(9, formats.Count - i)};version={format.Version}")));
    }

    private static (string Type, string Version)? Format(MediaTypeHeaderValue asked)
    {
        var version = asked.Parameters.FirstOrDefault(p => p.Name == "version")?.Value.Value?.Trim('"');
        return asked.MediaType.Value?.ToLowerInvariant() switch
        {
            Text => (Text, version ?? TextVersion),
            OpenMetrics => (OpenMetrics, version ?? OldestOpenMetrics),
            "*/*" => (Text, TextVersion),
            "application/*" => (OpenMetrics, OldestOpenMetrics),
            _ => null,
        };
    }
}
