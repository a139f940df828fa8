using System.Text.Encodings.Web;
using System.Text.Json;

namespace MeshProxy.Cli.Diff;

/// <summary>Differences to be read, or for programs.</summary>
internal static class DifferenceOutput
{
    // A whole filter chain on one line is no help; --json has all of it.
    private const int Longest = 160;

    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void WriteText(TextWriter output, IReadOnlyList<ResourceDifference> differences)
    {
        foreach (var section in differences.GroupBy(static one => one.Section))
        {
            output.WriteLine(section.Key);
            foreach (var difference in section)
            {
                output.WriteLine($"  {Sign(difference.Kind)} {difference.Name}".TrimEnd());
                foreach (var field in difference.Fields)
                {
                    output.WriteLine((field.Before, field.After) switch
                    {
                        (null, { } after) => $"      + {field.Path}: {Short(after)}",
                        ({ } before, null) => $"      - {field.Path}: {Short(before)}",
                        _ => $"      {field.Path}: {Short(field.Before!)} → {Short(field.After!)}",
                    });
                }
            }
        }
        if (differences.Count == 0)
        {
            output.WriteLine("No difference.");
        }
    }

    public static void WriteJson(Stream output, IReadOnlyList<ResourceDifference> differences)
    {
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            writer.WriteStartArray();
            foreach (var difference in differences)
            {
                writer.WriteStartObject();
                writer.WriteString("section", difference.Section);
                writer.WriteString("name", difference.Name);
                writer.WriteString("kind", difference.Kind.ToString().ToLowerInvariant());
                writer.WriteStartArray("fields");
                foreach (var field in difference.Fields)
                {
                    writer.WriteStartObject();
                    writer.WriteString("path", field.Path);
                    writer.WriteString("before", field.Before);
                    writer.WriteString("after", field.After);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        output.Write("\n"u8);
    }

    private static char Sign(DifferenceKind kind) => kind switch
    {
        DifferenceKind.Added => '+',
        DifferenceKind.Removed => '-',
        _ => '~',
    };

    private static string Short(string text) => text.Length <= Longest ? text : $"{text[..Longest]}…";
}
