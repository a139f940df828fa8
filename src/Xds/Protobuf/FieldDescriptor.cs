using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>One field of a message type, as the tables declare it.</summary>
public sealed class FieldDescriptor
{
    private readonly int _typeIndex;
    private readonly int _rulesOffset;
    private readonly Lock _lock = new();
    private string? _jsonName;
    private FieldRules? _rules;

    internal FieldDescriptor(MessageType containingType, int index, ref SchemaReader reader)
    {
        ContainingType = containingType;
        Index = index;
        Name = reader.ReadString();
        Number = (int)reader.ReadVarint();
        Kind = (FieldKind)reader.ReadByte();
        var flags = reader.ReadByte();
        IsRepeated = (flags & 1) != 0;
        IsMap = (flags & 2) != 0;
        IsWrapper = (flags & 4) != 0;
        HasPresence = (flags & 8) != 0;
        IsDeprecated = (flags & 16) != 0;
        IsSensitive = (flags & 32) != 0;
        KeyKind = (FieldKind)reader.ReadByte();
        _typeIndex = (int)reader.ReadVarint() - 1;
        OneofIndex = (int)reader.ReadVarint() - 1;
        var rulesLength = (int)reader.ReadVarint();
        _rulesOffset = rulesLength == 0 ? -1 : reader.Position;
        reader.Position += rulesLength;
    }

    public MessageType ContainingType { get; }

    /// <summary>Position among the fields of the type, which are in order of number. Typed wrappers address by it.</summary>
    public int Index { get; }

    /// <summary>The name in snake_case, as the interface declares it.</summary>
    public string Name { get; }

    public int Number { get; }

    public FieldKind Kind { get; }

    /// <summary>Kind of a map's keys.</summary>
    public FieldKind KeyKind { get; }

    public bool IsRepeated { get; }

    public bool IsMap { get; }

    /// <summary>Declared as UInt32Value, BoolValue, …; stored as the plain value with presence.</summary>
    public bool IsWrapper { get; }

    /// <summary>Whether absent and zero differ.</summary>
    public bool HasPresence { get; }

    public bool IsDeprecated { get; }

    /// <summary>To be redacted wherever configuration is shown.</summary>
    public bool IsSensitive { get; }

    /// <summary>Index into the type's oneofs, or -1.</summary>
    public int OneofIndex { get; }

    /// <summary>lowerCamelCase name of the proto3 JSON mapping.</summary>
    public string JsonName => _jsonName ??= ToJsonName(Name);

    /// <summary>The type of a message field; null for every other kind.</summary>
    public MessageType? MessageType => Kind == FieldKind.Message ? SchemaRegistry.MessageAt(_typeIndex) : null;

    /// <summary>The type of an enum field; null for every other kind.</summary>
    public EnumType? EnumType => Kind == FieldKind.Enum ? SchemaRegistry.EnumAt(_typeIndex) : null;

    /// <summary>The validation rules declared for the field, or null.</summary>
    public FieldRules? Rules
    {
        get
        {
            if (_rulesOffset < 0 || _rules != null)
            {
                return _rules;
            }

            lock (_lock)
            {
                return _rules ??= FieldRules.Read(SchemaRegistry.ReaderAt(_rulesOffset));
            }
        }
    }

    /// <summary>Whether single values are held as 64 bits; strings, bytes, messages and Any are references.</summary>
    internal bool IsBits => Kind is not (FieldKind.String or FieldKind.Bytes or FieldKind.Message or FieldKind.Any);

    internal bool IsReference => IsRepeated || IsMap || !IsBits;

    /// <summary>The field's bit where fields are a set.</summary>
    public ulong Bit => 1UL << Index;

    public override string ToString() => $"{ContainingType.FullName}.{Name}";

    internal static string ToJsonName(string name)
    {
        var result = new StringBuilder(name.Length);
        var capital = false;
        foreach (var c in name)
        {
            if (c == '_')
            {
                capital = true;
                continue;
            }

            result.Append(capital ? char.ToUpperInvariant(c) : c);
            capital = false;
        }

        return result.ToString();
    }
}
