using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>The `formatters` of a format: commands that need them, and names of those that are built in by now.</summary>
internal static class FormatExtensions
{
    private const string WithoutQuery = "REQ_WITHOUT_QUERY";

    private static readonly Dictionary<string, Command> RequestWithoutQuery = new(StringComparer.Ordinal)
    {
        [WithoutQuery] = new Command(ArgumentRule.Required, true, (command, argument) =>
            new HeaderOperator(command, HeaderSource.Request, argument, withoutQuery: true)),
    };

    public static IReadOnlyDictionary<string, Command>? Of(MessageList<TypedExtensionConfig> formatters)
    {
        IReadOnlyDictionary<string, Command>? commands = null;
        foreach (var formatter in formatters)
        {
            switch (formatter.TypedConfig?.TypeName)
            {
                case "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery":
                    commands = RequestWithoutQuery;
                    break;
                case "envoy.extensions.formatter.metadata.v3.Metadata" or "envoy.extensions.formatter.cel.v3.Cel":
                    break;
                case var type:
                    throw new ConfigurationException(
                        $"The formatter '{formatter.Name}' of type '{type}' is unknown; use req_without_query, metadata or cel.");
            }
        }
        return commands;
    }
}
