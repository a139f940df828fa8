namespace MeshProxy.Xds.Protobuf;

/// <summary>A message type: its fields in order of number, its oneofs and what was removed from it.</summary>
public sealed class MessageType
{
    /// <summary>Field numbers below this are found by a table; the interfaces here have none above.</summary>
    private const int DirectNumbers = 64;
    private const byte NoField = byte.MaxValue;

    private readonly FieldDescriptor[] _fields;
    private readonly OneofDescriptor[] _oneofs;
    private readonly string[] _removed;
    private readonly byte[] _byNumber = new byte[DirectNumbers];
    private Dictionary<string, FieldDescriptor>? _byName;

    internal MessageType(SchemaReader reader)
    {
        FullName = reader.ReadString();
        WellKnown = WellKnownNames.Of(FullName);
        _byNumber.AsSpan().Fill(NoField);
        _fields = new FieldDescriptor[reader.ReadVarint()];
        for (var i = 0; i < _fields.Length; i++)
        {
            var field = new FieldDescriptor(this, i, ref reader);
            _fields[i] = field;
            ReferenceMask |= field.IsReference ? field.Bit : 0;
            if (field.Number < DirectNumbers)
            {
                _byNumber[field.Number] = (byte)i;
            }
        }

        _oneofs = new OneofDescriptor[reader.ReadVarint()];
        for (var i = 0; i < _oneofs.Length; i++)
        {
            _oneofs[i] = new OneofDescriptor(reader.ReadString(), reader.ReadByte() != 0, MaskOfOneof(i));
        }

        _removed = new string[reader.ReadVarint()];
        for (var i = 0; i < _removed.Length; i++)
        {
            _removed[i] = reader.ReadString();
        }
    }

    public string FullName { get; }

    public string TypeUrl => field ??= SchemaRegistry.UrlOf(FullName);

    public ReadOnlySpan<FieldDescriptor> Fields => _fields;

    public ReadOnlySpan<OneofDescriptor> Oneofs => _oneofs;

    /// <summary>Names of fields that existed once and are refused now.</summary>
    public ReadOnlySpan<string> RemovedFields => _removed;

    internal WellKnownType WellKnown { get; }

    internal ulong ReferenceMask { get; }

    /// <summary>A field by its declared name or its JSON name, or null.</summary>
    public FieldDescriptor? FindField(string name)
    {
        var byName = Volatile.Read(ref _byName);
        if (byName == null)
        {
            byName = new Dictionary<string, FieldDescriptor>(_fields.Length * 2, StringComparer.Ordinal);
            foreach (var field in _fields)
            {
                byName.TryAdd(field.Name, field);
                byName.TryAdd(field.JsonName, field);
            }

            Volatile.Write(ref _byName, byName);
        }

        return byName.GetValueOrDefault(name);
    }

    public override string ToString() => FullName;

    internal FieldDescriptor? FindByNumber(uint number)
    {
        if (number < DirectNumbers)
        {
            var index = _byNumber[number];
            return index == NoField ? null : _fields[index];
        }

        return FindFarNumber(number);
    }

    private FieldDescriptor? FindFarNumber(uint number)
    {
        foreach (var field in _fields)
        {
            if (field.Number == number)
            {
                return field;
            }
        }

        return null;
    }

    private ulong MaskOfOneof(int oneof)
    {
        var mask = 0UL;
        foreach (var field in _fields)
        {
            mask |= field.OneofIndex == oneof ? field.Bit : 0;
        }

        return mask;
    }
}
