using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Xds.Protobuf;
using Config = Io.Istio.Http.PeerMetadata.Config;
using DiscoveryMethod = Io.Istio.Http.PeerMetadata.Config.DiscoveryMethod;
using PropagationMethod = Io.Istio.Http.PeerMetadata.Config.PropagationMethod;

namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>envoy.filters.http.peer_metadata; Istio calls it istio.metadata_exchange.</summary>
internal sealed class PeerMetadataFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.peer_metadata";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var labels = new HashSet<string>(config.AdditionalLabels, StringComparer.Ordinal);
        var local = LocalWorkload.Of(context, labels);
        return new PeerMetadataConfig(
            Discoveries(config.DownstreamDiscovery, downstream: true, labels, context),
            Discoveries(config.UpstreamDiscovery, downstream: false, labels, context),
            Propagations(config.DownstreamPropagation, downstream: true, local, context),
            Propagations(config.UpstreamPropagation, downstream: false, local, context),
            config.SharedWithUpstream);
    }

    private static PeerDiscovery[] Discoveries(
        MessageList<DiscoveryMethod> methods, bool downstream, HashSet<string> labels, FactoryContext context)
    {
        var made = new List<PeerDiscovery>();
        foreach (var method in methods)
        {
            switch (method.MethodSpecifierCase)
            {
                case DiscoveryMethod.MethodSpecifierOneofCase.IstioHeaders:
                    made.Add(new HeaderDiscovery(downstream, CacheOf(labels, context)));
                    break;
                case DiscoveryMethod.MethodSpecifierOneofCase.WorkloadDiscovery:
                    made.Add(new AddressDiscovery(downstream, WorkloadDiscoveryHolder.Of(context.Singletons)));
                    break;
                case DiscoveryMethod.MethodSpecifierOneofCase.Baggage when downstream:
                    made.Add(new BaggageDiscovery());
                    break;
                case DiscoveryMethod.MethodSpecifierOneofCase.UpstreamFilterState when !downstream:
                    made.Add(new FilterStateDiscovery(method.UpstreamFilterState!.Value.PeerMetadataKey));
                    break;
                default:
                    // Istio's filter warns of a method on the wrong side and goes on without it.
                    UnsupportedFeatures.Of(context.Singletons).Note(
                        $"{Config.Descriptor.FullName}.{(downstream ? "downstream" : "upstream")}_discovery.{method.MethodSpecifierCase}",
                        UnsupportedEffect.Ignored);
                    break;
            }
        }
        return [.. made];
    }

    private static PeerPropagation[] Propagations(
        MessageList<PropagationMethod> methods, bool downstream, WorkloadMetadata local, FactoryContext context)
    {
        var made = new List<PeerPropagation>();
        foreach (var method in methods)
        {
            switch (method.MethodSpecifierCase)
            {
                case PropagationMethod.MethodSpecifierOneofCase.IstioHeaders:
                    made.Add(new HeaderPropagation(
                        downstream, context.Node.Id, local, method.IstioHeaders!.Value.SkipExternalClusters));
                    break;
                case PropagationMethod.MethodSpecifierOneofCase.Baggage:
                    made.Add(new BaggagePropagation(local));
                    break;
            }
        }
        return [.. made];
    }

    // One cache for all listeners that keep the same labels.
    private static PeerCache CacheOf(HashSet<string> labels, FactoryContext context) =>
        context.Singletons.Get(
            $"istio.peers:{string.Join(',', labels.Order(StringComparer.Ordinal))}",
            () => new PeerCache(context.Workers.Count + 1, labels));
}
