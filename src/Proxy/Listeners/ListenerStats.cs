using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Indices of a listener's fixed statistics under `listener.ADDRESS.`.</summary>
public static class ListenerStat
{
    public const int CxTotal = 0;
    public const int CxDestroy = 1;
    public const int CxActive = 2;
    public const int CxLengthMs = 3;
    public const int CxTransportSocketConnectTimeout = 4;
    public const int CxOverflow = 5;
    public const int CxOverloadReject = 6;
    public const int GlobalCxOverflow = 7;
    public const int PreCxTimeout = 8;
    public const int PreCxActive = 9;
    public const int ListenerFilterRemoteClose = 10;
    public const int ListenerFilterError = 11;
    public const int NoFilterChainMatch = 12;
    public const int ConnectionsAcceptedPerSocketEvent = 13;

    public static readonly StatBlockLayout Layout = new(
    [
        ("downstream_cx_total", StatKind.Counter),
        ("downstream_cx_destroy", StatKind.Counter),
        ("downstream_cx_active", StatKind.Gauge),
        ("downstream_cx_length_ms", StatKind.Histogram),
        ("downstream_cx_transport_socket_connect_timeout", StatKind.Counter),
        ("downstream_cx_overflow", StatKind.Counter),
        ("downstream_cx_overload_reject", StatKind.Counter),
        ("downstream_global_cx_overflow", StatKind.Counter),
        ("downstream_pre_cx_timeout", StatKind.Counter),
        ("downstream_pre_cx_active", StatKind.Gauge),
        ("downstream_listener_filter_remote_close", StatKind.Counter),
        ("downstream_listener_filter_error", StatKind.Counter),
        ("no_filter_chain_match", StatKind.Counter),
        ("connections_accepted_per_socket_event", StatKind.Histogram),
    ]);

    /// <summary>The two that each worker shows under `listener.ADDRESS.worker_N.`.</summary>
    public static readonly StatBlockLayout WorkerLayout = new(
    [
        ("downstream_cx_total", StatKind.Counter),
        ("downstream_cx_active", StatKind.Gauge),
    ]);

    public const int WorkerCxTotal = 0;
    public const int WorkerCxActive = 1;
}
