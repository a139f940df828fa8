using System.Text;
using Envoy.Type.Metadata.V3;
using Envoy.Type.Tracing.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>A compiled type.tracing.v3.CustomTag; one without a value is left out.</summary>
internal abstract class CustomSpanTag(string name)
{
    public string Name => name;

    public void Apply(ISpan span, in LogContext context)
    {
        if (Value(context) is { Length: > 0 } value)
        {
            span.SetTag(name, value);
        }
    }

    /// <exception cref="ConfigurationException">The tag says not where its value comes from, or its format is wrong.</exception>
    public static CustomSpanTag Compile(CustomTag config, string field) => config.TypeCase switch
    {
        CustomTag.TypeOneofCase.LiteralValue => new Fixed(config.Tag, config.LiteralValue!.Value.Value),
        CustomTag.TypeOneofCase.EnvironmentValue => new Fixed(config.Tag,
            Environment.GetEnvironmentVariable(config.EnvironmentValue!.Value.Name) ?? config.EnvironmentValue!.Value.DefaultValue),
        CustomTag.TypeOneofCase.RequestHeader => new Header(config.Tag,
            Encoding.ASCII.GetBytes(config.RequestHeader!.Value.Name.ToLowerInvariant()), config.RequestHeader!.Value.DefaultValue),
        CustomTag.TypeOneofCase.MetadataValue => new OfMetadata(config.Tag, config.MetadataValue!.Value, field),
        CustomTag.TypeOneofCase.Value => new Formatted(config.Tag, SubstitutionFormat.Compile(config.Value, omitEmpty: true)),
        _ => throw new ConfigurationException($"{field}: a custom tag has no value; set literal, environment, request_header, metadata or value."),
    };

    /// <summary>Null or empty when there is none.</summary>
    public abstract string? Value(in LogContext context);

    private sealed class Fixed(string name, string value) : CustomSpanTag(name)
    {
        public override string Value(in LogContext context) => value;
    }

    private sealed class Header(string name, byte[] header, string fallback) : CustomSpanTag(name)
    {
        public override string Value(in LogContext context) => context.RequestHeaders?.GetString(header) ?? fallback;
    }

    private sealed class Formatted(string name, IFormatter format) : CustomSpanTag(name)
    {
        public override string Value(in LogContext context) => format.ToText(context);
    }

    private sealed class OfMetadata(string name, CustomTag.Metadata config, string field) : CustomSpanTag(name)
    {
        private readonly MetadataKind.KindOneofCase _kind = KindOf(config, field);
        private readonly string _key = config.MetadataKey?.Key ?? "";
        private readonly string[] _path = config.MetadataKey is { } key ? [.. key.Path.Select(segment => segment.Key)] : [];
        private readonly string _fallback = config.DefaultValue;

        public override string Value(in LogContext context)
        {
            var value = Source(context.StreamInfo) is { } metadata ? MetadataPath.Find(metadata, _key, _path) : null;
            return value switch
            {
                null or MetadataValue.NullNode => _fallback,
                MetadataValue.StringNode text => text.Value,
                _ => value.ToJson(),
            };
        }

        private DynamicMetadata? Source(StreamInfo info) => _kind switch
        {
            MetadataKind.KindOneofCase.RequestValue => info.DynamicMetadata,
            MetadataKind.KindOneofCase.RouteValue => info.Route?.Metadata,
            MetadataKind.KindOneofCase.ClusterValue => info.UpstreamCluster?.Metadata,
            _ => info.Upstream?.Host?.Metadata,
        };

        private static MetadataKind.KindOneofCase KindOf(CustomTag.Metadata config, string field) =>
            config.Kind is { KindCase: not MetadataKind.KindOneofCase.None } kind
                ? kind.KindCase
                : throw new ConfigurationException($"{field}.metadata.kind: it is not said whose metadata; set request, route, cluster or host.");
    }
}
