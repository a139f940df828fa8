using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.ConnectionLimit.V3.ConnectionLimit;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.connection_limit: bounds the connections of a filter chain.</summary>
internal sealed class ConnectionLimitFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.connection_limit";

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        var max = config.MaxConnections ?? 0;
        return new ConnectionLimitFilterConfig(
            new ConnectionLimit(() => max), config.Delay,
            RuntimeFlag.Compile(config.RuntimeEnabled, context.Runtime),
            context.ServerScope.Scope($"connection_limit.{config.StatPrefix}").Block(ConnectionLimitFilterConfig.Layout));
    }
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record ConnectionLimitFilterConfig(ConnectionLimit Limit, TimeSpan? Delay, RuntimeFlag Enabled, StatBlock Stats)
    : INetworkFilterConfig
{
    public const int LimitedConnections = 0;
    public const int ActiveConnections = 1;

    public static readonly StatBlockLayout Layout = new(
    [
        ("limited_connections", StatKind.Counter),
        ("active_connections", StatKind.Gauge),
    ]);

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new ConnectionLimitFilter(this));
}

/// <summary>At work on one connection.</summary>
internal sealed class ConnectionLimitFilter(ConnectionLimitFilterConfig config) : IReadFilter, IConnectionCallbacks
{
    private const string CloseReason = "over_connection_limit";

    private IReadFilterCallbacks _callbacks = null!;
    private LoopTimer? _delay;
    private bool _counted;
    private bool _taken;
    private bool _refused;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public FilterStatus OnNewConnection()
    {
        if (!config.Enabled.Enabled)
        {
            return FilterStatus.Continue;
        }
        _counted = true;
        config.Stats.Inc(ConnectionLimitFilterConfig.ActiveConnections);
        _taken = config.Limit.TryTake();
        if (_taken)
        {
            return FilterStatus.Continue;
        }
        config.Stats.Inc(ConnectionLimitFilterConfig.LimitedConnections);
        _refused = true;
        if (config.Delay is { Ticks: > 0 } delay)
        {
            _delay = _callbacks.Connection.Loop.CreateTimer(Close);
            _delay.Arm(delay);
        }
        else
        {
            Close();
        }
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => _refused ? FilterStatus.StopIteration : FilterStatus.Continue;

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            return;
        }
        _delay?.Disarm();
        if (_taken)
        {
            config.Limit.Release();
            _taken = false;
        }
        if (_counted)
        {
            config.Stats.Dec(ConnectionLimitFilterConfig.ActiveConnections);
            _counted = false;
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void Close() => _callbacks.Connection.Close(ConnectionCloseType.NoFlush, CloseReason);
}
