using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.GrpcWeb.V3.GrpcWeb;

namespace MeshProxy.Proxy.Http.Filters.GrpcWeb;

/// <summary>envoy.filters.http.grpc_web.</summary>
internal sealed class GrpcWebFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.grpc_web";

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) => new Compiled();

    private sealed class Compiled : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new GrpcWebFilter());
    }
}
