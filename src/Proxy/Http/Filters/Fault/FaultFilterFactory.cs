using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault;

namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>envoy.filters.http.fault: delays, aborts and slow answers on purpose.</summary>
internal sealed class FaultFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.fault";

    public string PerRouteConfigType => Config.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) => new Compiled(
        new FaultSettings(Config.From(config), context.Runtime), new FaultStats(context.ServerScope.Scope($"{statPrefix}fault")));

    public object CompilePerRoute(Message config, FactoryContext context) => new FaultSettings(Config.From(config), context.Runtime);

    private sealed class Compiled(FaultSettings settings, FaultStats stats) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new FaultFilter(settings, stats));
    }
}
