using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Compressor.V3.Compressor;
using PerRoute = Envoy.Extensions.Filters.Http.Compressor.V3.CompressorPerRoute;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>envoy.filters.http.compressor.</summary>
internal sealed class CompressorFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.compressor";

    public string? PerRouteConfigType => PerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        new CompressorSettings(Config.From(message), statPrefix, context);

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = PerRoute.From(message);
        return new CompressorOverride(config.Disabled, config.Overrides?.ResponseDirectionConfig?.RemoveAcceptEncodingHeader);
    }
}
