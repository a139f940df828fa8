using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A map of text to packed messages. A view: setting goes to the message.</summary>
public readonly struct AnyMap(Message owner, int index) : IReadOnlyList<KeyValuePair<string, Any>>
{
    private readonly Message _owner = owner;
    private readonly int _index = index;

    public int Count => Entries?.Count ?? 0;

    /// <summary>An entry by its position, in the order they came.</summary>
    public KeyValuePair<string, Any> this[int position] => Entries is { } entries
        ? new((string)entries.Keys.ReferenceAt(position), (Any)entries.Values.ReferenceAt(position))
        : throw new ArgumentOutOfRangeException(nameof(position));

    private MapField? Entries => (MapField?)_owner.Reference(_index);

    public bool ContainsKey(string key) => Entries is { } entries && entries.IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Any value)
    {
        var position = Entries?.IndexOf(key) ?? -1;
        value = position < 0 ? default : (Any)Entries!.Values.ReferenceAt(position);
        return position >= 0;
    }

    public void Set(string key, Any value) => _owner.MutableMap(_index).Set(key, value);

    public ListEnumerator<KeyValuePair<string, Any>, AnyMap> GetEnumerator() => new(this);

    IEnumerator<KeyValuePair<string, Any>> IEnumerable<KeyValuePair<string, Any>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
