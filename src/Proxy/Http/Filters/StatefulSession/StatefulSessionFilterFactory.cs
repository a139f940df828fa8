using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSession;
using PerRoute = Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSessionPerRoute;

namespace MeshProxy.Proxy.Http.Filters.StatefulSession;

/// <summary>envoy.filters.http.stateful_session: sends a client to the endpoint it was with.</summary>
internal sealed class StatefulSessionFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.stateful_session";

    public string? PerRouteConfigType => PerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        new Compiled(SessionSettings.Compile(Config.From(message)));

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = PerRoute.From(message);
        return config.Disabled || config.StatefulSession is not { } session ? SessionSettings.Off : SessionSettings.Compile(session);
    }

    private sealed class Compiled(SessionSettings settings) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new StatefulSessionFilter(settings));
    }
}
