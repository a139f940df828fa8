namespace MeshProxy.Xds.Protobuf;

/// <summary>Elements of a repeated field: bits or references, never both.</summary>
internal sealed class RepeatedField(bool isBits)
{
    private const int FirstCapacity = 2;

    private ulong[]? _bits;
    private object[]? _references;

    public bool IsBits { get; } = isBits;

    public int Count { get; private set; }

    public ulong BitsAt(int index) => _bits![Checked(index)];

    public object ReferenceAt(int index) => _references![Checked(index)];

    public ReadOnlySpan<ulong> Bits => _bits.AsSpan(0, Count);

    public ReadOnlySpan<object> References => _references.AsSpan(0, Count);

    public void Add(ulong bits)
    {
        EnsureCapacity(Count + 1);
        _bits![Count++] = bits;
    }

    public void Add(object reference)
    {
        EnsureCapacity(Count + 1);
        _references![Count++] = reference;
    }

    public void AddAll(RepeatedField other)
    {
        EnsureCapacity(Count + other.Count);
        for (var i = 0; i < other.Count; i++)
        {
            if (IsBits)
            {
                _bits![Count++] = other._bits![i];
            }
            else
            {
                _references![Count++] = other._references![i];
            }
        }
    }

    public void Replace(int index, ulong bits) => _bits![Checked(index)] = bits;

    public void Replace(int index, object reference) => _references![Checked(index)] = reference;

    public void RemoveAt(int index)
    {
        Checked(index);
        Count--;
        if (IsBits)
        {
            Array.Copy(_bits!, index + 1, _bits!, index, Count - index);
            return;
        }

        Array.Copy(_references!, index + 1, _references!, index, Count - index);
        _references![Count] = null!;
    }

    public void EnsureCapacity(int capacity)
    {
        var have = (IsBits ? _bits?.Length : _references?.Length) ?? 0;
        if (have >= capacity)
        {
            return;
        }

        var size = have == 0 ? capacity : Math.Max(Math.Max(capacity, have * 2), FirstCapacity);
        if (IsBits)
        {
            Array.Resize(ref _bits, size);
        }
        else
        {
            Array.Resize(ref _references, size);
        }
    }

    private int Checked(int index) =>
        (uint)index < (uint)Count ? index : throw new ArgumentOutOfRangeException(nameof(index));
}
