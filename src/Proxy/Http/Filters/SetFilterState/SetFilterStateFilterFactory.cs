using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.SetFilterState.V3.Config;

namespace MeshProxy.Proxy.Http.Filters.SetFilterState;

/// <summary>envoy.filters.http.set_filter_state.</summary>
internal sealed class SetFilterStateFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.set_filter_state";

    public string? PerRouteConfigType => Config.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        (Compiled)CompilePerRoute(message, context);

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new Compiled(FilterStateAssignments.Compile(config.OnRequestHeaders), config.ClearRouteCache);
    }

    internal sealed class Compiled(FilterStateAssignments values, bool clearRouteCache) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new Filter(this));

        public void Apply(HeaderMap headers, IStreamDecoderFilterCallbacks callbacks)
        {
            values.Apply(new LogContext(headers, null, null, callbacks.StreamInfo), FilterStateLifeSpan.FilterChain);
            if (clearRouteCache)
            {
                callbacks.ClearRouteCache();
            }
        }
    }

    private sealed class Filter(Compiled own) : PassThroughFilter
    {
        // The filter's values first, then every level of the route's, the most specific last.
        public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            own.Apply(headers, Decoder);
            Decoder.TraversePerFilterConfig<Compiled>(level => level.Apply(headers, Decoder));
            return FilterHeadersStatus.Continue;
        }
    }
}
