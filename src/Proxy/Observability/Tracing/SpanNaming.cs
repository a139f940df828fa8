using Envoy.Type.Tracing.V3;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>custom_tags, operation and upstream_operation of an HCM or of a route, which wins name by name.</summary>
public sealed class SpanNaming
{
    public static readonly SpanNaming None = new([], null, null);

    private readonly CustomSpanTag[] _tags;
    private readonly IFormatter? _operation;
    private readonly IFormatter? _upstreamOperation;

    private SpanNaming(CustomSpanTag[] tags, IFormatter? operation, IFormatter? upstreamOperation) =>
        (_tags, _operation, _upstreamOperation) = (tags, operation, upstreamOperation);

    /// <exception cref="Configuration.ConfigurationException">A tag or a format is not understood.</exception>
    public static SpanNaming Compile(IReadOnlyList<CustomTag> tags, string operation, string upstreamOperation, string field)
    {
        var compiled = new Dictionary<string, CustomSpanTag>(StringComparer.Ordinal);
        foreach (var tag in tags)
        {
            // Of tags with one name the first counts.
            compiled.TryAdd(tag.Tag, CustomSpanTag.Compile(tag, $"{field}.custom_tags[{tag.Tag}]"));
        }
        if (compiled.Count == 0 && operation.Length == 0 && upstreamOperation.Length == 0)
        {
            return None;
        }
        return new SpanNaming([.. compiled.Values], FormatOf(operation), FormatOf(upstreamOperation));
    }

    /// <summary>Puts the tags on a span and names it.</summary>
    /// <param name="route">The route's naming; <see cref="None"/> without.</param>
    public void Apply(SpanNaming route, ISpan span, in LogContext context, bool upstream)
    {
        foreach (var tag in route._tags)
        {
            tag.Apply(span, context);
        }
        foreach (var tag in _tags)
        {
            if (!route.Has(tag.Name))
            {
                tag.Apply(span, context);
            }
        }
        var format = upstream ? route._upstreamOperation ?? _upstreamOperation : route._operation ?? _operation;
        if (format?.ToText(context) is { Length: > 0 } name)
        {
            span.SetOperation(name);
        }
    }

    private bool Has(string name)
    {
        foreach (var tag in _tags)
        {
            if (tag.Name == name)
            {
                return true;
            }
        }
        return false;
    }

    private static IFormatter? FormatOf(string format) =>
        format.Length == 0 ? null : SubstitutionFormat.Compile(format, omitEmpty: true);
}
