using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>envoy.filters.http.upstream_codec: ends the filters of a cluster. Our upstream requests always end in the codec, so it adds nothing.</summary>
internal sealed class UpstreamCodecFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Envoy.Extensions.Filters.Http.UpstreamCodec.V3.UpstreamCodec.Descriptor.FullName;

    public string Name => "envoy.filters.http.upstream_codec";

    public bool IsTerminal => true;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) => new Nothing();

    private sealed class Nothing : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain)
        {
        }
    }
}
