using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>early_header_mutation_extensions: changes headers before anything else looks at them.</summary>
internal sealed class EarlyHeaderMutation(HeaderMutations mutations)
{
    public static EarlyHeaderMutation Compile(Config config, string field)
    {
        if (config.TypedConfig is not { } any
            || !any.TryUnpack<Envoy.Extensions.Http.EarlyHeaderMutation.HeaderMutation.V3.HeaderMutation>(out var mutation))
        {
            throw new ConfigurationException($"{field}: '{config.Name}' is no known early header mutation; use envoy.http.early_header_mutation.header_mutation.");
        }
        return new EarlyHeaderMutation(HeaderMutations.Compile(mutation.Mutations, $"{field}.mutations"));
    }

    public void Mutate(HeaderMap headers, StreamInfo info) => mutations.Evaluate(headers, new LogContext(headers, null, null, info));
}
