using System.Text.Json;

namespace MeshProxy.SchemaGenerator;

/// <summary>All interface tables of a directory, read into models whose references all resolve.</summary>
internal sealed class SchemaTables
{
    private readonly Dictionary<string, TypeModel> _types = new(StringComparer.Ordinal);

    private SchemaTables()
    {
    }

    public IReadOnlyList<TypeModel> Messages { get; private set; } = [];

    public IReadOnlyList<TypeModel> Enums { get; private set; } = [];

    public static SchemaTables Read(string directory)
    {
        var definitions = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(directory, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var type in document.RootElement.Clone().EnumerateObject())
            {
                if (!definitions.TryAdd(type.Name, type.Value))
                {
                    throw new InvalidDataException($"{type.Name} is declared twice, the second time in {file}");
                }
            }
        }

        var tables = new SchemaTables();
        bool IsEnum(string name) => definitions.TryGetValue(name, out var type)
            ? type.TryGetProperty("enum", out _)
            : throw new InvalidDataException($"{name} is referred to, but no table declares it");
        foreach (var (name, definition) in definitions)
        {
            tables._types.Add(name, new TypeModel(name, definition, IsEnum));
        }

        tables.Messages = [.. tables._types.Values.Where(type => !type.IsEnum).OrderBy(type => type.FullName, StringComparer.Ordinal)];
        tables.Enums = [.. tables._types.Values.Where(type => type.IsEnum).OrderBy(type => type.FullName, StringComparer.Ordinal)];
        Number(tables.Messages);
        Number(tables.Enums);
        return tables;
    }

    public TypeModel Find(string fullName) => _types[fullName];

    /// <summary>The message this one is nested in, or null for a type of the package itself.</summary>
    public TypeModel? ParentOf(TypeModel type)
    {
        var dot = type.FullName.LastIndexOf('.');
        return dot > 0 && _types.TryGetValue(type.FullName[..dot], out var parent) ? parent : null;
    }

    private static void Number(IReadOnlyList<TypeModel> types)
    {
        for (var i = 0; i < types.Count; i++)
        {
            types[i].Index = i;
        }
    }
}
