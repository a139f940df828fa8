using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.SetMetadata.V3.Config;

namespace MeshProxy.Proxy.Http.Filters.SetMetadata;

/// <summary>envoy.filters.http.set_metadata: puts fixed values into the dynamic metadata of requests.</summary>
internal sealed class SetMetadataFilterFactory : IHttpFilterFactory
{
    private static readonly StatBlockLayout Layout = new([("set_metadata.overwrite_denied", StatKind.Counter)]);

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.set_metadata";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var entries = new List<Entry>();
        if (config.MetadataNamespace.Length > 0 && config.Value is { } value)
        {
            // The deprecated pair of fields merges into what is there.
            entries.Add(new Entry(config.MetadataNamespace, MetadataConversion.ToStruct(value), AllowOverwrite: true));
        }
        foreach (var entry in config.Metadata)
        {
            if (entry.Value is { } fields)
            {
                entries.Add(new Entry(entry.MetadataNamespace, MetadataConversion.ToStruct(fields), entry.AllowOverwrite));
            }
        }
        return new Compiled([.. entries], context.ServerScope.Scope(statPrefix.TrimEnd('.')).Block(Layout));
    }

    internal sealed record Entry(string Namespace, MetadataValue.StructNode Value, bool AllowOverwrite);

    private sealed class Compiled(Entry[] entries, StatBlock stats) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new Filter(entries, stats));
    }

    private sealed class Filter(Entry[] entries, StatBlock stats) : PassThroughFilter
    {
        public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            var metadata = Decoder.StreamInfo.DynamicMetadata;
            foreach (var entry in entries)
            {
                if (!entry.AllowOverwrite && metadata.Get(entry.Namespace) is not null)
                {
                    stats.Inc(0);
                    continue;
                }
                foreach (var (key, value) in entry.Value.Fields)
                {
                    metadata.Set(entry.Namespace, key, Merged(metadata.Get(entry.Namespace, key), value));
                }
            }
            return FilterHeadersStatus.Continue;
        }

        // Structs merge, lists append, all else replaces (Envoy's StructUtil::update).
        private static MetadataValue Merged(MetadataValue? old, MetadataValue value)
        {
            switch (old, value)
            {
                case (MetadataValue.StructNode known, MetadataValue.StructNode added):
                    var fields = new Dictionary<string, MetadataValue>(known.Fields, StringComparer.Ordinal);
                    foreach (var (key, field) in added.Fields)
                    {
                        fields[key] = Merged(fields.GetValueOrDefault(key), field);
                    }
                    return new MetadataValue.StructNode(fields);
                case (MetadataValue.ListNode known, MetadataValue.ListNode added):
                    return new MetadataValue.ListNode([.. known.Items, .. added.Items]);
                default:
                    return value;
            }
        }
    }
}
