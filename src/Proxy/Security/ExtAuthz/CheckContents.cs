using MeshProxy.Proxy.Configuration;
using Google.Protobuf.WellKnownTypes;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>What of a request or connection is told to the service.</summary>
internal sealed record CheckContents
{
    public bool IncludePeerCertificate { get; init; }

    public bool IncludeTlsSession { get; init; }

    public bool PackAsBytes { get; init; }

    /// <summary>Headers go as a list of bytes instead of a map of text (encode_raw_headers).</summary>
    public bool EncodeRawHeaders { get; init; }

    /// <summary>Null is all.</summary>
    public HeaderNameMatcher? AllowedHeaders { get; init; }

    public HeaderNameMatcher DisallowedHeaders { get; init; } = HeaderNameMatcher.Nothing;

    public IReadOnlyList<KeyValuePair<string, string>> DestinationLabels { get; init; } = [];

    /// <summary>The texts under a key of the node's metadata (bootstrap_metadata_labels_key).</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> LabelsOf(FactoryContext context, string key)
    {
        if (key.Length == 0 || context.Node.Metadata is not { } metadata || !metadata.Fields.TryGetValue(key, out Value value)
            || value.StructValue is not { } fields)
        {
            return [];
        }
        var labels = new List<KeyValuePair<string, string>>();
        foreach (var (name, text) in fields.Fields)
        {
            labels.Add(new(name, text.StringValue));
        }
        return labels;
    }
}
