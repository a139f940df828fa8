using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Gets the metadata an operator looks into; null has none.</summary>
internal delegate DynamicMetadata? MetadataGetter(in LogContext context);

/// <summary>`%DYNAMIC_METADATA(NS:KEY…)%` and its kin: a string is printed bare, everything else as JSON.</summary>
internal sealed class MetadataOperator(MetadataGetter get, string name, string[] path) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (Find(context, output, out var value))
        {
            return true;
        }
        switch (value)
        {
            case null or MetadataValue.NullNode:
                return false;
            case MetadataValue.StringNode text:
                output.Write(text.Value);
                return true;
            default:
                JsonText.WriteValue(value, output);
                return true;
        }
    }

    public override bool WriteJson(in LogContext context, ByteWriter output)
    {
        if (Find(context, output, out var value))
        {
            return true;
        }
        if (value is null or MetadataValue.NullNode)
        {
            return false;
        }
        JsonText.WriteValue(value, output);
        return true;
    }

    // True when the whole namespace was asked for, and written.
    private bool Find(in LogContext context, ByteWriter output, out MetadataValue? value)
    {
        value = null;
        if (get(context)?.Get(name) is not { } fields)
        {
            return false;
        }
        if (path.Length == 0)
        {
            JsonText.WriteStruct(fields, output);
            return true;
        }
        foreach (var key in path)
        {
            if (fields is null || !fields.TryGetValue(key, out value))
            {
                value = null;
                return false;
            }
            fields = (value as MetadataValue.StructNode)?.Fields;
        }
        return false;
    }

    public static FormatOperator Create(string command, MetadataGetter get, string argument)
    {
        var parts = argument.Split(':');
        if (parts[0].Length == 0)
        {
            throw new ConfigurationException($"%{command}({argument})% has no namespace; write %{command}(NAMESPACE:KEY)%.");
        }
        return new MetadataOperator(get, parts[0], parts[1..]);
    }

    /// <summary>`%METADATA(TYPE:NS:KEY…)%`.</summary>
    public static FormatOperator CreateOfType(string argument)
    {
        var colon = argument.IndexOf(':');
        var type = colon < 0 ? argument : argument[..colon];
        return Create("METADATA", Source(type), colon < 0 ? "" : argument[(colon + 1)..]);
    }

    private static MetadataGetter Source(string type) =>
        type switch
        {
            "DYNAMIC" => Dynamic,
            "CLUSTER" => Cluster,
            "ROUTE" => static (in LogContext context) => context.StreamInfo.Route?.Metadata,
            "UPSTREAM_HOST" => UpstreamHost,
            "LISTENER" => static (in LogContext context) => context.StreamInfo.Listener?.Metadata,
            "LISTENER_FILTER_CHAIN" => static (in LogContext context) => context.StreamInfo.FilterChainMetadata,
            "VIRTUAL_HOST" => static (in LogContext context) => context.StreamInfo.Route?.VirtualHost.Metadata,
            _ => throw new ConfigurationException(
                $"%METADATA({type}:…)% names an unknown type; use DYNAMIC, CLUSTER, ROUTE, UPSTREAM_HOST, LISTENER, LISTENER_FILTER_CHAIN or VIRTUAL_HOST."),
        };

    public static DynamicMetadata? Dynamic(in LogContext context) => context.StreamInfo.DynamicMetadata;

    public static DynamicMetadata? Cluster(in LogContext context) => context.StreamInfo.UpstreamCluster?.Metadata;

    public static DynamicMetadata? UpstreamHost(in LogContext context) => context.StreamInfo.Upstream?.Host?.Metadata;
}
