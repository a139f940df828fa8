using System.Collections;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A repeated text field. A view: adding goes to the message.</summary>
public readonly struct StringList(Message owner, int index) : IReadOnlyList<string>
{
    private readonly Message? _owner = owner;
    private readonly int _index = index;

    public int Count => Elements?.Count ?? 0;

    public string this[int position] =>
        Elements is { } elements ? (string)elements.ReferenceAt(position) : throw new ArgumentOutOfRangeException(nameof(position));

    private RepeatedField? Elements => (RepeatedField?)_owner?.Reference(_index);

    public void Add(string item) => _owner!.MutableRepeated(_index).Add(item);

    public void AddRange(IEnumerable<string> items)
    {
        foreach (var item in items)
        {
            Add(item);
        }
    }

    public ListEnumerator<string, StringList> GetEnumerator() => new(this);

    IEnumerator<string> IEnumerable<string>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
