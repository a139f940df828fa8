using System.Collections;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A repeated field of packed messages. A view: adding goes to the message.</summary>
public readonly struct AnyList(Message owner, int index) : IReadOnlyList<Any>
{
    private readonly Message? _owner = owner;
    private readonly int _index = index;

    public int Count => Elements?.Count ?? 0;

    public Any this[int position] =>
        Elements is { } elements ? (Any)elements.ReferenceAt(position) : throw new ArgumentOutOfRangeException(nameof(position));

    private RepeatedField? Elements => (RepeatedField?)_owner?.Reference(_index);

    public void Add(Any item) => _owner!.MutableRepeated(_index).Add(item);

    public void AddRange(IEnumerable<Any> items)
    {
        foreach (var item in items)
        {
            Add(item);
        }
    }

    public ListEnumerator<Any, AnyList> GetEnumerator() => new(this);

    IEnumerator<Any> IEnumerable<Any>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
