using System.Text.Json;

namespace MeshProxy.SchemaGenerator;

/// <summary>A message or an enum of the tables.</summary>
internal sealed class TypeModel
{
    /// <summary>The runtime keeps presence in one 64-bit word.</summary>
    private const int MaximumFields = 64;

    public TypeModel(string fullName, JsonElement definition, Func<string, bool> isEnum)
    {
        FullName = fullName;
        foreach (var part in definition.EnumerateObject())
        {
            switch (part.Name)
            {
                case "enum":
                    IsEnum = true;
                    Values = [.. part.Value.EnumerateObject()
                        .Select(value => (value.Name, Number: value.Value.GetInt32()))
                        .OrderBy(value => value.Number).ThenBy(value => value.Name, StringComparer.Ordinal)];
                    break;
                case "fields":
                    Fields = [.. part.Value.EnumerateObject()
                        .Select(field => new FieldModel(field.Name, field.Value, isEnum))
                        .OrderBy(field => field.Number)];
                    break;
                case "removed":
                    Removed = [.. part.Value.EnumerateArray().Select(name => name.GetString()!)];
                    break;
                default:
                    throw new InvalidDataException($"{fullName}: part '{part.Name}' is unknown to the generator");
            }
        }

        if (Fields.Count > MaximumFields)
        {
            throw new InvalidDataException($"{fullName} has more than {MaximumFields} fields");
        }

        Oneofs = [.. Fields.Where(field => field.Oneof != null).GroupBy(field => field.Oneof!)
            .Select(group => (group.Key, group.Any(field => field.OneofIsRequired)))];
    }

    public string FullName { get; }

    public bool IsEnum { get; }

    /// <summary>By number, which is the order of their indexes in the runtime.</summary>
    public IReadOnlyList<FieldModel> Fields { get; } = [];

    public IReadOnlyList<(string Name, bool Required)> Oneofs { get; }

    public IReadOnlyList<string> Removed { get; } = [];

    public IReadOnlyList<(string Name, int Number)> Values { get; } = [];

    /// <summary>Index among the messages, or among the enums, in ordinal order of names.</summary>
    public int Index { get; set; }

    public int OneofIndex(FieldModel field) => Oneofs.Select(oneof => oneof.Name).ToList().IndexOf(field.Oneof!);
}
