using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A map of text to text. A view: setting goes to the message.</summary>
public readonly struct StringMap(Message owner, int index) : IReadOnlyList<KeyValuePair<string, string>>
{
    private readonly Message _owner = owner;
    private readonly int _index = index;

    public int Count => Entries?.Count ?? 0;

    /// <summary>An entry by its position, in the order they came.</summary>
    public KeyValuePair<string, string> this[int position] => Entries is { } entries
        ? new((string)entries.Keys.ReferenceAt(position), (string)entries.Values.ReferenceAt(position))
        : throw new ArgumentOutOfRangeException(nameof(position));

    private MapField? Entries => (MapField?)_owner.Reference(_index);

    public bool ContainsKey(string key) => Entries is { } entries && entries.IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        var position = Entries?.IndexOf(key) ?? -1;
        value = position < 0 ? default : (string)Entries!.Values.ReferenceAt(position);
        return position >= 0;
    }

    public void Set(string key, string value) => _owner.MutableMap(_index).Set(key, value);

    public ListEnumerator<KeyValuePair<string, string>, StringMap> GetEnumerator() => new(this);

    IEnumerator<KeyValuePair<string, string>> IEnumerable<KeyValuePair<string, string>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
