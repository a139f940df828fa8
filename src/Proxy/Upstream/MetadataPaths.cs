using Envoy.Type.Metadata.V3;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Follows a MetadataKey (a namespace and a path of fields).</summary>
internal static class MetadataPaths
{
    public static MetadataValue? Find(DynamicMetadata metadata, MetadataKey key)
    {
        if (metadata.Get(key.Key) is not { } fields)
        {
            return null;
        }
        MetadataValue? value = null;
        foreach (var segment in key.Path)
        {
            if (fields is null || !fields.TryGetValue(segment.Key, out value))
            {
                return null;
            }
            fields = (value as MetadataValue.StructNode)?.Fields;
        }
        return value;
    }
}
