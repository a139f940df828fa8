using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MeshProxy.Proxy.Observability.Failures;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/failures`: what failed in the last minutes, grouped, a sentence each. Parameters `minutes` (10) and `format=json`.</summary>
internal sealed class FailuresEndpoint(FailureLog failures)
{
    private const int DefaultMinutes = 10;

    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public AdminEndpoint Endpoint => new("/failures", "print failures of the last minutes, grouped and explained", false, Answer);

    private AdminResponse Answer(AdminQuery query)
    {
        var minutes = DefaultMinutes;
        if (query.Find("minutes") is { } text && (!int.TryParse(text, out minutes) || minutes < 1))
        {
            return AdminResponse.Text($"minutes: '{text}' is no number of minutes, 1 or more\n", 400);
        }
        var found = failures.Since(DateTime.UtcNow.AddMinutes(-minutes));
        return query.Find("format") switch
        {
            null or "text" => AdminResponse.Text(TextOf(found, minutes)),
            "json" => AdminResponse.OfJson(JsonOf(found)),
            var other => AdminResponse.Text($"format: '{other}' is not known; use text or json\n", 400),
        };
    }

    private static string TextOf(IReadOnlyList<Failure> failures, int minutes)
    {
        if (failures.Count == 0)
        {
            return $"No failures in the last {minutes} minutes.\n";
        }
        var text = new StringBuilder();
        foreach (var failure in failures)
        {
            text.Append($"{failure.Count}x {failure.Flags}{(failure.Code > 0 ? $" {failure.Code}" : "")} {failure.Details}\n");
            text.Append($"    {failure.Sentence}\n");
            text.Append($"    {string.Join(", ", Facts(failure))}\n");
        }
        return text.ToString();
    }

    private static IEnumerable<string> Facts(Failure failure)
    {
        foreach (var (name, value) in ((string, string)[])
        [
            ("listener", failure.Listener), ("route", failure.Route), ("cluster", failure.Cluster), ("endpoint", failure.Host),
            ("policy", failure.Policy), ("caller", failure.Peer), ("last", failure.Example),
        ])
        {
            if (value.Length > 0)
            {
                yield return $"{name} {value}";
            }
        }
        yield return failure.Count == 1 ? $"at {failure.Last:HH:mm:ss}" : $"from {failure.First:HH:mm:ss} to {failure.Last:HH:mm:ss}";
    }

    private static byte[] JsonOf(IReadOnlyList<Failure> failures)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("failures");
            foreach (var failure in failures)
            {
                Write(writer, failure);
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, Failure failure)
    {
        writer.WriteStartObject();
        writer.WriteString("sentence", failure.Sentence);
        writer.WriteNumber("count", failure.Count);
        writer.WriteString("first", failure.First);
        writer.WriteString("last", failure.Last);
        writer.WriteString("response_flags", failure.Flags);
        writer.WriteNumber("response_code", failure.Code);
        writer.WriteString("response_code_details", failure.Details);
        writer.WriteString("transport_failure_reason", failure.TransportFailure);
        writer.WriteString("policy", failure.Policy);
        writer.WriteString("listener", failure.Listener);
        writer.WriteString("virtual_host", failure.VirtualHost);
        writer.WriteString("route", failure.Route);
        writer.WriteString("cluster", failure.Cluster);
        writer.WriteString("upstream_host", failure.Host);
        writer.WriteString("caller", failure.Peer);
        writer.WriteString("example", failure.Example);
        writer.WriteEndObject();
    }
}
