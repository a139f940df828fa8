namespace MeshProxy.Xds.Mapping;

/// <summary>How messages are shown as JSON.</summary>
public sealed class JsonWriteOptions
{
    /// <summary>snake_case names, indented, as Envoy's admin interface prints.</summary>
    public static JsonWriteOptions Admin { get; } = new();

    /// <summary>snake_case names on one line.</summary>
    public static JsonWriteOptions Compact { get; } = new() { Indented = false };

    /// <summary>lowerCamelCase names on one line, the mapping's own form.</summary>
    public static JsonWriteOptions CamelCase { get; } = new() { Indented = false, CamelCaseNames = true };

    public bool Indented { get; init; } = true;

    public bool CamelCaseNames { get; init; }

    /// <summary>Prints numbers, booleans, enums, text and lists that are absent with their defaults.</summary>
    public bool PrintDefaults { get; init; }
}
