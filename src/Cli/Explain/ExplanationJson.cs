using System.Text.Encodings.Web;
using System.Text.Json;
using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Explain;

/// <summary>An explanation for programs.</summary>
internal static class ExplanationJson
{
    // Names of clusters and sentences are to be readable: only what JSON itself needs is escaped.
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream output, TrafficExplanation explanation)
    {
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("outcome", explanation.Outcome);
            writer.WriteStartArray("steps");
            foreach (var step in explanation.Steps)
            {
                Write(writer, step);
            }
            writer.WriteEndArray();
            Write(writer, "warnings", explanation.Warnings);
            writer.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    private static void Write(Utf8JsonWriter writer, ExplanationStep step)
    {
        writer.WriteStartObject();
        writer.WriteString("stage", step.Stage);
        writer.WriteString("chosen", step.Chosen);
        writer.WriteString("why", step.Why);
        Write(writer, "details", step.Details);
        writer.WriteStartArray("rejected");
        foreach (var rejected in step.Rejected)
        {
            writer.WriteStartObject();
            writer.WriteString("name", rejected.Name);
            writer.WriteString("why", rejected.Why);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }
        writer.WriteEndArray();
    }
}
