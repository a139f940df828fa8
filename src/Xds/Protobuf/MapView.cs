namespace MeshProxy.Xds.Protobuf;

/// <summary>A map whose keys or values are numbers or bytes, seen without its types.</summary>
public readonly struct MapView(Message owner, int index)
{
    private readonly Message _owner = owner;
    private readonly int _index = index;

    public int Count => Entries?.Count ?? 0;

    private MapField? Entries => (MapField?)_owner.Reference(_index);

    public ulong KeyBits(int position) => Existing.Keys.BitsAt(position);

    public string KeyText(int position) => (string)Existing.Keys.ReferenceAt(position);

    public ulong ValueBits(int position) => Existing.Values.BitsAt(position);

    public ReadOnlyMemory<byte> ValueBytes(int position) => (byte[])Existing.Values.ReferenceAt(position);

    public Message ValueMessage(int position) => (Message)Existing.Values.ReferenceAt(position);

    /// <summary>Position of a number key, or -1.</summary>
    public int IndexOf(ulong key) => Entries?.IndexOf(key) ?? -1;

    /// <summary>Sets a text key to bytes.</summary>
    public void Set(string key, ReadOnlyMemory<byte> value) => _owner.MutableMap(_index).Set(key, value.ToArray());

    private MapField Existing => Entries ?? throw new ArgumentOutOfRangeException(nameof(index));
}
