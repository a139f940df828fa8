using System.Text;
using MeshProxy.Proxy.Configuration;
using Config = Envoy.Config.Route.V3.RouteAction.RequestMirrorPolicy;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled RequestMirrorPolicy (upstream 14).</summary>
internal sealed class MirrorPolicy
{
    private readonly FractionalPercent? _fraction;
    private readonly byte[] _clusterHeader;
    private readonly string _cluster;

    public MirrorPolicy(Config config, FactoryContext context, string field)
    {
        if (config.Cluster.Length > 0 == config.ClusterHeader.Length > 0)
        {
            throw new ConfigurationException($"{field}: Only one of cluster and cluster_header must be set; set one.");
        }
        _cluster = config.Cluster;
        _clusterHeader = Encoding.ASCII.GetBytes(config.ClusterHeader.ToLowerInvariant());
        _fraction = config.RuntimeFraction is { } fraction ? new FractionalPercent(fraction, context.Runtime) : null;
        TraceSampled = config.TraceSampled;
        DisableHostSuffix = config.DisableShadowHostSuffixAppend;
        HostRewrite = config.HostRewriteLiteral;
        Mutations = HeaderMutations.Compile(config.RequestHeadersMutations, $"{field}.request_headers_mutations");
    }

    public bool? TraceSampled { get; }

    public bool DisableHostSuffix { get; }

    public string HostRewrite { get; }

    public HeaderMutations Mutations { get; }

    public string ConfiguredCluster => _cluster;

    public bool Takes(ulong random) => _fraction is null || _fraction.Takes(random);

    /// <summary>The cluster to copy to; empty when the header that names it is missing.</summary>
    public string ClusterFor(HeaderMap headers) =>
        _cluster.Length > 0 ? _cluster : headers.GetString(_clusterHeader) ?? "";
}
