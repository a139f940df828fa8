namespace MeshProxy.Xds.Protobuf;

/// <summary>A group of fields of which at most one, or if required exactly one, is set.</summary>
public sealed class OneofDescriptor
{
    internal OneofDescriptor(string name, bool isRequired, ulong mask) => (Name, IsRequired, Mask) = (name, isRequired, mask);

    public string Name { get; }

    public bool IsRequired { get; }

    /// <summary>Presence bits of its fields.</summary>
    internal ulong Mask { get; }
}
