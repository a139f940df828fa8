using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching;

/// <summary>Finds a nested value in metadata (Envoy's Config::Metadata::metadataValue).</summary>
public static class MetadataPath
{
    /// <summary>The value under the keys of <paramref name="path"/>; null when a step is missing or is no struct.</summary>
    public static MetadataValue? Find(DynamicMetadata metadata, string filter, ReadOnlySpan<string> path)
    {
        if (path.IsEmpty)
        {
            return null;
        }
        var value = metadata.Get(filter, path[0]);
        foreach (var key in path[1..])
        {
            value = value is MetadataValue.StructNode node && node.Fields.TryGetValue(key, out var next) ? next : null;
        }
        return value;
    }
}
