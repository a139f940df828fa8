using Google.Protobuf.WellKnownTypes;

namespace MeshProxy.Proxy.Configuration.Runtime;

/// <summary>The values of one layer, by key.</summary>
public sealed record RuntimeLayer(string Name, IReadOnlyDictionary<string, RuntimeValue> Values)
{
    /// <summary>Flattens nested structs to dotted keys.</summary>
    public static RuntimeLayer From(string name, Struct? fields)
    {
        var values = new Dictionary<string, RuntimeValue>(StringComparer.Ordinal);
        if (fields is { } present)
        {
            Flatten("", present, values);
        }
        return new RuntimeLayer(name, values);
    }

    /// <summary>Reads a directory tree: each file is a key (folders joined by dots), its content the value.</summary>
    public static RuntimeLayer FromDirectory(string name, string directory)
    {
        var values = new Dictionary<string, RuntimeValue>(StringComparer.Ordinal);
        if (Directory.Exists(directory))
        {
            Walk(directory, "", values, depth: 0);
        }
        return new RuntimeLayer(name, values);
    }

    private static void Flatten(string prefix, Struct fields, Dictionary<string, RuntimeValue> values)
    {
        foreach (var (key, value) in fields.Fields)
        {
            var name = prefix.Length == 0 ? key : $"{prefix}.{key}";
            if (value.StructValue is not { } nested)
            {
                values[name] = RuntimeValue.From(value)
                    ?? throw new ConfigurationException($"Invalid runtime entry value for {name}: give text, a number or a boolean.");
            }
            else if (RuntimeValue.FromFraction(nested) is { } fraction)
            {
                values[name] = fraction;
            }
            else
            {
                Flatten(name, nested, values);
            }
        }
    }

    // Envoy's limit of nested directories, against loops of symbolic links.
    private const int MaxDepth = 16;

    private static void Walk(string directory, string prefix, Dictionary<string, RuntimeValue> values, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new IOException($"directory recursion depth exceeds {MaxDepth} in {directory}");
        }
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
        {
            if (entry.Name.StartsWith('.'))
            {
                continue;
            }
            var key = prefix.Length == 0 ? entry.Name : $"{prefix}.{entry.Name}";
            if (Directory.Exists(entry.FullName))
            {
                Walk(entry.FullName, key, values, depth + 1);
            }
            else
            {
                values[key] = RuntimeValue.Parse(WithoutComments(File.ReadAllText(entry.FullName)));
            }
        }
    }

    private static string WithoutComments(string text) =>
        string.Join('\n', text.Split('\n').Where(line => !line.StartsWith('#')));
}
