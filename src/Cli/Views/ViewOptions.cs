using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshProxy.Cli.Dumps;
using MeshProxy.Injection.Documents;
using MeshProxy.Proxy.Explanation;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Cli.Views;

/// <summary>What all views of a configuration have in common: where it comes from and how it is printed.</summary>
internal sealed class ViewOptions
{
    private static readonly JsonWriteOptions Json = new() { CamelCaseNames = true };

    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        IndentSize = 4,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Option<string> _admin = DumpSource.AdminOption();
    private readonly Option<string[]> _files = DumpSource.FileOption();
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "short (default), json or yaml.",
        DefaultValueFactory = static _ => "short",
    };

    public void AddTo(Command command)
    {
        command.Add(_admin);
        command.Add(_files);
        command.Add(_output);
    }

    public string Admin(ParseResult line) => line.GetValue(_admin)!;

    /// <summary>Whether the configuration is a running proxy's.</summary>
    public bool IsLive(ParseResult line) => line.GetValue(_files) is not { Length: > 0 };

    public ConfigurationDump Dump(ParseResult line) => DumpSource.Dump(Admin(line), line.GetValue(_files) ?? []);

    public Envoy.Admin.V3.ConfigDump Message(ParseResult line) => DumpSource.Load(Admin(line), line.GetValue(_files) ?? []);

    /// <summary>Prints the resources whole where JSON or YAML is asked for, else the table.</summary>
    public int Print(ParseResult line, IEnumerable<Message> resources, Action<TextWriter> table)
    {
        switch (line.GetValue(_output))
        {
            case "json":
                PrintJson(ListOf(resources));
                return 0;
            case "yaml":
                Console.Out.Write(YamlWriter.Write(ListOf(resources)));
                return 0;
            case "short":
                table(Console.Out);
                return 0;
            case var other:
                throw new CommandException($"--output {other} is not known; use short, json or yaml.");
        }
    }

    /// <summary>One resource by itself, JSON unless YAML is asked for.</summary>
    public int PrintOne(ParseResult line, Message resource)
    {
        var node = JsonNode.Parse(resource.ToJsonText(Json));
        if (line.GetValue(_output) == "yaml")
        {
            Console.Out.Write(YamlWriter.Write(node));
        }
        else
        {
            PrintJson(node);
        }
        return 0;
    }

    private static JsonArray ListOf(IEnumerable<Message> resources) =>
        [.. resources.Select(static resource => JsonNode.Parse(resource.ToJsonText(Json)))];

    private static void PrintJson(JsonNode? node)
    {
        using var output = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(output, Indented))
        {
            if (node is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                node.WriteTo(writer);
            }
        }
        output.Write("\n"u8);
    }
}
