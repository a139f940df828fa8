using System.Collections;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A repeated field of numbers, booleans or enum values. A view: adding goes to the message.</summary>
public readonly struct ScalarList<T>(Message owner, int index) : IReadOnlyList<T>
    where T : unmanaged
{
    private readonly Message? _owner = owner;
    private readonly int _index = index;

    public int Count => Elements?.Count ?? 0;

    public T this[int position] =>
        Elements is { } elements ? ScalarBits.To<T>(elements.BitsAt(position)) : throw new ArgumentOutOfRangeException(nameof(position));

    private RepeatedField? Elements => (RepeatedField?)_owner?.Reference(_index);

    public void Add(T item) => _owner!.MutableRepeated(_index).Add(ScalarBits.From(item));

    public void AddRange(IEnumerable<T> items)
    {
        foreach (var item in items)
        {
            Add(item);
        }
    }

    public ListEnumerator<T, ScalarList<T>> GetEnumerator() => new(this);

    IEnumerator<T> IEnumerable<T>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
