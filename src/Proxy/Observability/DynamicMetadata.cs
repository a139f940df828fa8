namespace MeshProxy.Proxy.Observability;

/// <summary>Dynamic metadata: namespace → google.protobuf.Struct. Values are JSON-like nodes.</summary>
public sealed class DynamicMetadata
{
    private Dictionary<string, Dictionary<string, MetadataValue>>? _namespaces;

    public bool IsEmpty => _namespaces is null || _namespaces.Count == 0;

    public IEnumerable<string> Namespaces => _namespaces?.Keys ?? Enumerable.Empty<string>();

    public IReadOnlyDictionary<string, MetadataValue>? Get(string name) =>
        _namespaces is not null && _namespaces.TryGetValue(name, out var fields) ? fields : null;

    public MetadataValue? Get(string name, string key) =>
        _namespaces is not null && _namespaces.TryGetValue(name, out var fields) && fields.TryGetValue(key, out var value)
            ? value
            : null;

    /// <summary>Sets one key; other keys of the namespace stay (as setDynamicMetadata merges).</summary>
    public void Set(string name, string key, MetadataValue value)
    {
        _namespaces ??= new Dictionary<string, Dictionary<string, MetadataValue>>(StringComparer.Ordinal);
        if (!_namespaces.TryGetValue(name, out var fields))
        {
            _namespaces[name] = fields = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        }
        fields[key] = value;
    }

    /// <summary>Sets several keys; others of the namespace stay.</summary>
    public void Set(string name, IReadOnlyDictionary<string, MetadataValue> fields)
    {
        foreach (var (key, value) in fields)
        {
            Set(name, key, value);
        }
    }
}
