using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>Indices of the statistics under `tcp.PREFIX.`.</summary>
internal static class TcpProxyStat
{
    public const int CxTotal = 0;
    public const int CxNoRoute = 1;
    public const int CxTxBytesTotal = 2;
    public const int CxTxBytesBuffered = 3;
    public const int CxRxBytesTotal = 4;
    public const int CxRxBytesBuffered = 5;
    public const int FlowControlPaused = 6;
    public const int FlowControlResumed = 7;
    public const int EarlyDataReceived = 8;
    public const int IdleTimeout = 9;
    public const int MaxDownstreamConnectionDuration = 10;
    public const int UpstreamFlushTotal = 11;
    public const int UpstreamFlushActive = 12;
    public const int RouteDelayedTotal = 13;

    public static readonly StatBlockLayout Layout = new(
    [
        ("downstream_cx_total", StatKind.Counter),
        ("downstream_cx_no_route", StatKind.Counter),
        ("downstream_cx_tx_bytes_total", StatKind.Counter),
        ("downstream_cx_tx_bytes_buffered", StatKind.Gauge),
        ("downstream_cx_rx_bytes_total", StatKind.Counter),
        ("downstream_cx_rx_bytes_buffered", StatKind.Gauge),
        ("downstream_flow_control_paused_reading_total", StatKind.Counter),
        ("downstream_flow_control_resumed_reading_total", StatKind.Counter),
        ("early_data_received_count_total", StatKind.Counter),
        ("idle_timeout", StatKind.Counter),
        ("max_downstream_connection_duration", StatKind.Counter),
        ("upstream_flush_total", StatKind.Counter),
        ("upstream_flush_active", StatKind.Gauge),
        ("route_delayed_total", StatKind.Counter),
    ]);
}
