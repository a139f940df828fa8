using System.Collections;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A repeated bytes field. A view: adding goes to the message.</summary>
public readonly struct BytesList(Message owner, int index) : IReadOnlyList<ReadOnlyMemory<byte>>
{
    private readonly Message? _owner = owner;
    private readonly int _index = index;

    public int Count => Elements?.Count ?? 0;

    public ReadOnlyMemory<byte> this[int position] =>
        Elements is { } elements ? (byte[])elements.ReferenceAt(position) : throw new ArgumentOutOfRangeException(nameof(position));

    private RepeatedField? Elements => (RepeatedField?)_owner?.Reference(_index);

    public void Add(ReadOnlyMemory<byte> item) => _owner!.MutableRepeated(_index).Add(item.ToArray());

    public void AddRange(IEnumerable<ReadOnlyMemory<byte>> items)
    {
        foreach (var item in items)
        {
            Add(item);
        }
    }

    public ListEnumerator<ReadOnlyMemory<byte>, BytesList> GetEnumerator() => new(this);

    IEnumerator<ReadOnlyMemory<byte>> IEnumerable<ReadOnlyMemory<byte>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
