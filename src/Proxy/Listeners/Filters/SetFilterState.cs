using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.SetFilterState.V3.Config;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.set_filter_state: sets filter state of an accepted connection.</summary>
internal sealed class SetFilterStateFactory : IListenerFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.set_filter_state";

    public IListenerFilterConfig Compile(Message config, FactoryContext context) =>
        new SetFilterState(FilterStateAssignments.Compile(Config.From(config).OnAccept));
}

/// <summary>Keeps no state of a connection: one instance serves all.</summary>
internal sealed class SetFilterState(FilterStateAssignments onAccept) : IListenerFilterConfig, IListenerFilter
{
    public int MaxReadBytes => 0;

    public IListenerFilter Create() => this;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        onAccept.Apply(new LogContext(null, null, null, callbacks.StreamInfo), FilterStateLifeSpan.Connection);
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer) => FilterStatus.Continue;

    public void OnClose()
    {
    }
}
