namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Istio's standard metrics.</summary>
internal enum IstioMetric
{
    RequestsTotal,
    RequestDurationMilliseconds,
    RequestBytes,
    ResponseBytes,
    RequestMessagesTotal,
    ResponseMessagesTotal,
    TcpConnectionsOpenedTotal,
    TcpConnectionsClosedTotal,
    TcpSentBytesTotal,
    TcpReceivedBytesTotal,
}

/// <summary>Names of <see cref="IstioMetric"/>, without the prefix `istio_`.</summary>
internal static class IstioMetricNames
{
    private static readonly string[] Names =
    [
        "requests_total", "request_duration_milliseconds", "request_bytes", "response_bytes", "request_messages_total",
        "response_messages_total", "tcp_connections_opened_total", "tcp_connections_closed_total", "tcp_sent_bytes_total",
        "tcp_received_bytes_total",
    ];

    public static int Count => Names.Length;

    public static string Name(IstioMetric metric) => Names[(int)metric];

    /// <summary>-1 for a name that is no standard metric.</summary>
    public static int Find(string name) => Array.IndexOf(Names, name);

    public static StatKind Kind(IstioMetric metric) =>
        metric is IstioMetric.RequestDurationMilliseconds or IstioMetric.RequestBytes or IstioMetric.ResponseBytes
            ? StatKind.Histogram : StatKind.Counter;
}
