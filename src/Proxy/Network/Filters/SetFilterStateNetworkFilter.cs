using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.SetFilterState.V3.Config;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.set_filter_state: sets filter state when a connection begins, is encrypted, or sends its first bytes.</summary>
internal sealed class SetFilterStateNetworkFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.set_filter_state";

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new SetFilterStateFilterConfig(
            FilterStateAssignments.Compile(config.OnNewConnection),
            FilterStateAssignments.Compile(config.OnDownstreamTlsHandshake),
            FilterStateAssignments.Compile(config.OnDownstreamData));
    }
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record SetFilterStateFilterConfig(
    FilterStateAssignments OnNewConnection, FilterStateAssignments OnHandshake, FilterStateAssignments OnData) : INetworkFilterConfig
{
    public void CreateFilter(Connection connection) => connection.AddReadFilter(new SetFilterStateNetworkFilter(this));
}

/// <summary>At work on one connection.</summary>
internal sealed class SetFilterStateNetworkFilter(SetFilterStateFilterConfig config) : IReadFilter, IConnectionCallbacks
{
    private IReadFilterCallbacks _callbacks = null!;
    private bool _dataSeen;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        if (!config.OnHandshake.IsEmpty)
        {
            callbacks.Connection.AddCallbacks(this);
        }
    }

    public FilterStatus OnNewConnection()
    {
        Apply(config.OnNewConnection);
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (!_dataSeen)
        {
            _dataSeen = true;
            Apply(config.OnData);
        }
        return FilterStatus.Continue;
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected && _callbacks.Connection.Tls is not null)
        {
            Apply(config.OnHandshake);
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void Apply(FilterStateAssignments assignments) => assignments.Apply(
        new LogContext(null, null, null, _callbacks.StreamInfo), FilterStateLifeSpan.Connection);
}
