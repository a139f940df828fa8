using System.Runtime.InteropServices;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// Getters and setters by field index (<see cref="FieldDescriptor.Index"/>); typed wrappers are made of them. A getter
/// of an absent field returns zero, empty or null. Setting a plain field to its default clears it.
/// </summary>
public sealed partial class Message
{
    public bool GetBool(int index) => Bits(index) != 0;

    public int GetInt32(int index) => (int)Bits(index);

    public uint GetUInt32(int index) => (uint)Bits(index);

    public long GetInt64(int index) => (long)Bits(index);

    public ulong GetUInt64(int index) => Bits(index);

    public float GetFloat(int index) => BitConverter.UInt32BitsToSingle((uint)Bits(index));

    public double GetDouble(int index) => BitConverter.UInt64BitsToDouble(Bits(index));

    public string GetString(int index) => (string?)Reference(index) ?? "";

    public ReadOnlyMemory<byte> GetBytes(int index) => (byte[]?)Reference(index);

    public bool? GetNullableBool(int index) => Has(index) ? GetBool(index) : null;

    public int? GetNullableInt32(int index) => Has(index) ? GetInt32(index) : null;

    public uint? GetNullableUInt32(int index) => Has(index) ? GetUInt32(index) : null;

    public long? GetNullableInt64(int index) => Has(index) ? GetInt64(index) : null;

    public ulong? GetNullableUInt64(int index) => Has(index) ? GetUInt64(index) : null;

    public float? GetNullableFloat(int index) => Has(index) ? GetFloat(index) : null;

    public double? GetNullableDouble(int index) => Has(index) ? GetDouble(index) : null;

    public string? GetNullableString(int index) => (string?)Reference(index);

    public ReadOnlyMemory<byte>? GetNullableBytes(int index) => Has(index) ? GetBytes(index) : null;

    public Message? GetMessage(int index) => (Message?)Reference(index);

    /// <summary>The messages of a repeated field, as they stand now; empty when there are none.</summary>
    public IReadOnlyList<Message> GetMessages(int index) =>
        (RepeatedField?)Reference(index) is { } elements
            ? [.. Enumerable.Range(0, elements.Count).Select(i => (Message)elements.ReferenceAt(i))]
            : [];

    public Any? GetAny(int index) => (Any?)Reference(index);

    public TimeSpan? GetDuration(int index) => Has(index) ? Durations.ToTimeSpan(GetInt64(index)) : null;

    /// <summary>The time of a google.protobuf.Timestamp; beyond the years 1 to 9999, the nearest of them.</summary>
    public DateTimeOffset? GetTimestamp(int index) =>
        GetMessage(index) is { } message ? Timestamps.ToDateTimeOffset(message) : null;

    public void SetBool(int index, bool value) => SetPlain(index, value ? 1UL : 0UL);

    public void SetInt32(int index, int value) => SetPlain(index, (ulong)value);

    public void SetUInt32(int index, uint value) => SetPlain(index, value);

    public void SetInt64(int index, long value) => SetPlain(index, (ulong)value);

    public void SetUInt64(int index, ulong value) => SetPlain(index, value);

    public void SetFloat(int index, float value) => SetPlain(index, BitConverter.SingleToUInt32Bits(value));

    public void SetDouble(int index, double value) => SetPlain(index, BitConverter.DoubleToUInt64Bits(value));

    public void SetString(int index, string value)
    {
        if (value.Length == 0 && !Type.Fields[index].HasPresence)
        {
            Clear(index);
        }
        else
        {
            SetReference(index, value);
        }
    }

    public void SetBytes(int index, ReadOnlyMemory<byte> value)
    {
        if (value.Length == 0 && !Type.Fields[index].HasPresence)
        {
            Clear(index);
        }
        else
        {
            SetReference(index, AsArray(value));
        }
    }

    public void SetNullableBool(int index, bool? value) => SetOrClear(index, value is { } set ? set ? 1UL : 0UL : null);

    public void SetNullableInt32(int index, int? value) => SetOrClear(index, (ulong?)value);

    public void SetNullableUInt32(int index, uint? value) => SetOrClear(index, value);

    public void SetNullableInt64(int index, long? value) => SetOrClear(index, (ulong?)value);

    public void SetNullableUInt64(int index, ulong? value) => SetOrClear(index, value);

    public void SetNullableFloat(int index, float? value) =>
        SetOrClear(index, value is { } set ? BitConverter.SingleToUInt32Bits(set) : null);

    public void SetNullableDouble(int index, double? value) =>
        SetOrClear(index, value is { } set ? BitConverter.DoubleToUInt64Bits(set) : null);

    public void SetNullableString(int index, string? value) => SetOrClear(index, value);

    public void SetNullableBytes(int index, ReadOnlyMemory<byte>? value) =>
        SetOrClear(index, value is { } bytes ? AsArray(bytes) : null);

    /// <exception cref="ArgumentException">The message is of another type than the field.</exception>
    public void SetMessage(int index, Message? value)
    {
        if (value != null && value.Type != Type.Fields[index].MessageType)
        {
            throw new ArgumentException($"{Type.Fields[index]} does not hold a {value.Type}", nameof(value));
        }

        SetOrClear(index, (object?)value);
    }

    public void SetAny(int index, Any? value) => SetOrClear(index, value);

    public void SetDuration(int index, TimeSpan? value) =>
        SetOrClear(index, value is { } duration ? (ulong)Durations.FromTimeSpan(duration) : null);

    public void SetTimestamp(int index, DateTimeOffset? value) =>
        SetOrClear(index, value is { } time ? Timestamps.FromDateTimeOffset(time) : null);

    private static byte[] AsArray(ReadOnlyMemory<byte> value) =>
        MemoryMarshal.TryGetArray(value, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : value.ToArray();

    private void SetPlain(int index, ulong value)
    {
        if (value == 0 && !Type.Fields[index].HasPresence)
        {
            Clear(index);
        }
        else
        {
            SetBits(index, value);
        }
    }

    private void SetOrClear(int index, ulong? value)
    {
        if (value is { } bits)
        {
            SetBits(index, bits);
        }
        else
        {
            Clear(index);
        }
    }

    private void SetOrClear(int index, object? value)
    {
        if (value != null)
        {
            SetReference(index, value);
        }
        else
        {
            Clear(index);
        }
    }
}
