using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A map of text to messages. A view: setting goes to the message.</summary>
public readonly struct MessageMap<T>(Message owner, int index) : IReadOnlyList<KeyValuePair<string, T>>
    where T : struct, IMessage<T>
{
    private readonly Message? _owner = owner;
    private readonly int _index = index;

    public int Count => Entries?.Count ?? 0;

    /// <summary>An entry by its position, in the order they came.</summary>
    public KeyValuePair<string, T> this[int position] => Entries is { } entries
        ? new((string)entries.Keys.ReferenceAt(position), T.From((Message)entries.Values.ReferenceAt(position)))
        : throw new ArgumentOutOfRangeException(nameof(position));

    private MapField? Entries => (MapField?)_owner?.Reference(_index);

    public bool ContainsKey(string key) => Entries is { } entries && entries.IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value)
    {
        var position = Entries?.IndexOf(key) ?? -1;
        value = position < 0 ? default : T.From((Message)Entries!.Values.ReferenceAt(position));
        return position >= 0;
    }

    public void Set(string key, T value) => _owner!.MutableMap(_index).Set(key, value.Message);

    public ListEnumerator<KeyValuePair<string, T>, MessageMap<T>> GetEnumerator() => new(this);

    IEnumerator<KeyValuePair<string, T>> IEnumerable<KeyValuePair<string, T>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
