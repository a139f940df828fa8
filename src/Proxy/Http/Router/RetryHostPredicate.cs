using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Config.Route.V3.RetryPolicy.RetryHostPredicate;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Rejects endpoints for a retry (upstream 13.3).</summary>
internal abstract class RetryHostPredicate
{
    /// <param name="attempted">Endpoints of earlier attempts of this request.</param>
    public abstract bool Reject(Host host, List<Host> attempted);

    public static IReadOnlyList<RetryHostPredicate> CompileAll(IReadOnlyList<Config> configs, string field)
    {
        var predicates = new RetryHostPredicate[configs.Count];
        for (var i = 0; i < predicates.Length; i++)
        {
            predicates[i] = Compile(configs[i], $"{field}[{i}]");
        }
        return predicates;
    }

    private static RetryHostPredicate Compile(Config config, string field) => config.TypedConfig?.TypeName switch
    {
        "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate" => new PreviousHosts(),
        "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate" => new OmitCanaryHosts(),
        "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig" => new OmitHostMetadata(
            MetadataConversion.ToMetadata(config.TypedConfig
                .Unpack<Envoy.Extensions.Retry.Host.OmitHostMetadata.V3.OmitHostMetadataConfig>().MetadataMatch)),
        _ => throw new ConfigurationException(
            $"{field}: '{config.Name}' is no known retry host predicate; use envoy.retry_host_predicates.previous_hosts or another."),
    };

    private sealed class PreviousHosts : RetryHostPredicate
    {
        public override bool Reject(Host host, List<Host> attempted)
        {
            foreach (var known in attempted)
            {
                if (known.AddressText == host.AddressText)
                {
                    return true;
                }
            }
            return false;
        }
    }

    private sealed class OmitCanaryHosts : RetryHostPredicate
    {
        public override bool Reject(Host host, List<Host> attempted) => host.Canary;
    }

    private sealed class OmitHostMetadata(DynamicMetadata match) : RetryHostPredicate
    {
        private const string Namespace = "envoy.lb";

        public override bool Reject(Host host, List<Host> attempted)
        {
            if (match.Get(Namespace) is not { } wanted)
            {
                return false;
            }
            foreach (var (key, value) in wanted)
            {
                if (!value.Equals(host.Metadata.Get(Namespace, key)))
                {
                    return false;
                }
            }
            return true;
        }
    }
}
