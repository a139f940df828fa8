using System.Numerics;
using System.Runtime.CompilerServices;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// A protobuf message of any type, sparse: a bit a field says what is present, and two arrays hold the present numbers
/// and references in order of field number. Not safe for use by several threads while it is being built; safe to read
/// by all of them afterwards.
/// </summary>
public sealed partial class Message
{
    private const int FirstCapacity = 2;

    private ulong _presence;
    private ulong[]? _bits;
    private object[]? _references;

    /// <summary>An empty message.</summary>
    public Message(MessageType type) => Type = type;

    public MessageType Type { get; }

    /// <summary>Tags and values of fields the type does not declare, as they came; written out again.</summary>
    public ReadOnlyMemory<byte> UnknownFields => UnknownBytes;

    internal byte[]? UnknownBytes { get; set; }

    internal ulong Presence => _presence;

    /// <summary>Whether a field is present: set, or for a list or a map not empty.</summary>
    public bool Has(int index) => (_presence & (1UL << index)) != 0;

    /// <inheritdoc cref="Has(int)"/>
    public bool Has(FieldDescriptor field) => Has(field.Index);

    public void Clear(int index)
    {
        var bit = 1UL << index;
        if ((_presence & bit) == 0)
        {
            return;
        }

        var isReference = (Type.ReferenceMask & bit) != 0;
        var position = Position(isReference ? Type.ReferenceMask : ~Type.ReferenceMask, bit);
        var count = CountOf(isReference ? Type.ReferenceMask : ~Type.ReferenceMask);
        _presence &= ~bit;
        if (isReference)
        {
            Array.Copy(_references!, position + 1, _references!, position, count - position - 1);
            _references![count - 1] = null!;
        }
        else
        {
            Array.Copy(_bits!, position + 1, _bits!, position, count - position - 1);
        }
    }

    /// <summary>Number of the field that is set in a oneof, or 0.</summary>
    public int GetOneofCase(int oneof)
    {
        var set = _presence & Type.Oneofs[oneof].Mask;
        return set == 0 ? 0 : Type.Fields[BitOperations.TrailingZeroCount(set)].Number;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Bits(int index)
    {
        var bit = 1UL << index;
        return (_presence & bit) == 0 ? 0 : _bits![Position(~Type.ReferenceMask, bit)];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal object? Reference(int index)
    {
        var bit = 1UL << index;
        return (_presence & bit) == 0 ? null : _references![Position(Type.ReferenceMask, bit)];
    }

    internal void SetBits(int index, ulong value)
    {
        var position = Claim(index, ~Type.ReferenceMask, ref _bits);
        _bits![position] = value;
    }

    internal void SetReference(int index, object value)
    {
        var position = Claim(index, Type.ReferenceMask, ref _references);
        _references![position] = value;
    }

    /// <summary>Makes room for exactly the fields that a parser has seen, before it stores them.</summary>
    internal void Reserve(ulong presence)
    {
        var references = BitOperations.PopCount(presence & Type.ReferenceMask);
        var bits = BitOperations.PopCount(presence & ~Type.ReferenceMask);
        _references = references == 0 ? null : new object[references];
        _bits = bits == 0 ? null : new ulong[bits];
    }

    internal RepeatedField MutableRepeated(int index)
    {
        if (Reference(index) is RepeatedField existing)
        {
            return existing;
        }

        var created = new RepeatedField(Type.Fields[index].IsBits);
        SetReference(index, created);
        return created;
    }

    internal MapField MutableMap(int index)
    {
        if (Reference(index) is MapField existing)
        {
            return existing;
        }

        var field = Type.Fields[index];
        var created = new MapField(field.KeyKind != FieldKind.String, field.IsBits);
        SetReference(index, created);
        return created;
    }

    private int Claim<T>(int index, ulong mask, ref T[]? storage)
    {
        var bit = 1UL << index;
        if ((_presence & bit) != 0)
        {
            return Position(mask, bit);
        }

        ClearOthersOfOneof(index, bit);
        var position = Position(mask, bit);
        var count = CountOf(mask);
        if (storage == null || count == storage.Length)
        {
            Array.Resize(ref storage, Math.Max(FirstCapacity, count * 2));
        }

        if (position < count)
        {
            Array.Copy(storage, position, storage, position + 1, count - position);
        }

        _presence |= bit;
        return position;
    }

    private void ClearOthersOfOneof(int index, ulong bit)
    {
        var oneof = Type.Fields[index].OneofIndex;
        if (oneof < 0)
        {
            return;
        }

        for (var others = _presence & Type.Oneofs[oneof].Mask & ~bit; others != 0; others &= others - 1)
        {
            Clear(BitOperations.TrailingZeroCount(others));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Position(ulong mask, ulong bit) => BitOperations.PopCount(_presence & mask & (bit - 1));

    private int CountOf(ulong mask) => BitOperations.PopCount(_presence & mask);
}
