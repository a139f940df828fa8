namespace MeshProxy.Proxy.Observability;

/// <summary>A google.protobuf.Value as an immutable node: null, bool, number, string, list or struct.</summary>
public abstract record MetadataValue
{
    public static readonly MetadataValue Null = new NullNode();

    public sealed record NullNode : MetadataValue;

    public sealed record BoolNode(bool Value) : MetadataValue;

    public sealed record NumberNode(double Value) : MetadataValue;

    public sealed record StringNode(string Value) : MetadataValue;

    public sealed record ListNode(IReadOnlyList<MetadataValue> Items) : MetadataValue;

    public sealed record StructNode(IReadOnlyDictionary<string, MetadataValue> Fields) : MetadataValue;

    public static MetadataValue From(string value) => new StringNode(value);

    public static MetadataValue From(double value) => new NumberNode(value);

    public static MetadataValue From(bool value) => new BoolNode(value);
}
