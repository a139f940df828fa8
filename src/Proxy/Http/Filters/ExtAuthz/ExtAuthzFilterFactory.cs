using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>envoy.filters.http.ext_authz: a service decides about each request.</summary>
internal sealed class ExtAuthzFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.ext_authz";

    public string PerRouteConfigType => ExtAuthzPerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) =>
        new ExtAuthzConfig(Config.From(config), statPrefix, context);

    public object CompilePerRoute(Message config, FactoryContext context) =>
        new ExtAuthzRouteConfig(ExtAuthzPerRoute.From(config), context);
}
