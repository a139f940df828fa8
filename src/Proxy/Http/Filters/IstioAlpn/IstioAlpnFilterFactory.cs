using Istio.Envoy.Config.Filter.Http.Alpn.V2Alpha1;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters.IstioAlpn;

/// <summary>
/// istio.alpn: tells the peer's sidecar by ALPN that a mutual TLS connection carries HTTP and in which version
/// (`istio-http/1.1`, `istio`, …), so that its inbound listener takes the HTTP chain.
/// </summary>
internal sealed class IstioAlpnFilterFactory : IHttpFilterFactory
{
    public string ConfigType => FilterConfig.Descriptor.FullName;

    public string Name => "istio.alpn";

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context)
    {
        var overrides = new Dictionary<HttpProtocol, StringFilterState>();
        foreach (var entry in FilterConfig.From(config).AlpnOverrideValue)
        {
            overrides[(HttpProtocol)(int)entry.UpstreamProtocol] = new StringFilterState(string.Join(',', entry.AlpnOverrideValue));
        }
        return new IstioAlpnConfig(overrides);
    }
}

/// <summary>The list of each upstream protocol, ready to be set.</summary>
internal sealed class IstioAlpnConfig(IReadOnlyDictionary<HttpProtocol, StringFilterState> overrides) : IHttpFilterConfig
{
    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new IstioAlpnFilter(overrides));
}

/// <summary>One request: the route's cluster decides the protocol, and so the list.</summary>
internal sealed class IstioAlpnFilter(IReadOnlyDictionary<HttpProtocol, StringFilterState> overrides) : PassThroughFilter
{
    /// <summary>Read by the upstream TLS socket.</summary>
    private const string ApplicationProtocols = "envoy.network.application_protocols";

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (Decoder.ClusterInfo is { } cluster && overrides.TryGetValue(ProtocolOf(cluster), out var list))
        {
            Decoder.StreamInfo.FilterState.Set(ApplicationProtocols, list, FilterStateLifeSpan.FilterChain);
        }
        return FilterHeadersStatus.Continue;
    }

    private HttpProtocol ProtocolOf(ICluster cluster) => cluster.HttpOptions.Choice switch
    {
        UpstreamProtocolChoice.Http2 => HttpProtocol.Http2,
        UpstreamProtocolChoice.Downstream => Decoder.StreamInfo.Protocol ?? HttpProtocol.Http11,
        _ => HttpProtocol.Http11,
    };
}
