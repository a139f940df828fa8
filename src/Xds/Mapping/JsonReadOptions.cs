namespace MeshProxy.Xds.Mapping;

/// <summary>What happens to fields a message type does not declare.</summary>
public sealed class JsonReadOptions
{
    /// <summary>Refuses unknown fields.</summary>
    public static JsonReadOptions Strict { get; } = new();

    /// <summary>Null refuses unknown fields; otherwise each is left out and its path given to this.</summary>
    public Action<string>? OnUnknownField { get; init; }

    /// <summary>
    /// An Any of a type nobody here knows keeps its name and loses its content, instead of being refused: for reading what
    /// another build printed.
    /// </summary>
    public bool KeepsUnknownTypes { get; init; }

    /// <summary>Leaves unknown fields out.</summary>
    public static JsonReadOptions Lenient { get; } = new() { OnUnknownField = static _ => { } };
}
