using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.GrpcStats.V3.FilterConfig;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>envoy.filters.http.grpc_stats.</summary>
internal sealed class GrpcStatsFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.grpc_stats";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        new Compiled(new GrpcStatsSettings(Config.From(message)));

    private sealed class Compiled(GrpcStatsSettings settings) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new GrpcStatsFilter(settings));
    }
}
