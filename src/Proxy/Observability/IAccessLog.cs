using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability;

/// <summary>`%ACCESS_LOG_TYPE%`.</summary>
public enum AccessLogType
{
    NotSet,
    TcpUpstreamConnected,
    TcpPeriodic,
    TcpConnectionEnd,
    DownstreamStart,
    DownstreamPeriodic,
    DownstreamEnd,
    UpstreamPoolReady,
    UpstreamPeriodic,
    UpstreamEnd,
    DownstreamTunnelSuccessfullyEstablished,
    UdpTunnelUpstreamConnected,
    UdpPeriodic,
    UdpSessionEnd,
    TcpConnectionStart,
}

/// <summary>What a log line or a formatter may look at. Headers are null where there are none (TCP).</summary>
public readonly record struct LogContext(
    HeaderMap? RequestHeaders, HeaderMap? ResponseHeaders, HeaderMap? ResponseTrailers, StreamInfo StreamInfo,
    AccessLogType Type = AccessLogType.NotSet, string LocalReplyBody = "");

/// <summary>One compiled access log of a listener, HCM, tcp_proxy or router; shared by all loops.</summary>
public interface IAccessLog
{
    void Log(in LogContext context);
}

/// <summary>A compiled AccessLogFilter: whether a record is written, or a local-reply mapper used.</summary>
public interface IAccessLogFilter
{
    bool Evaluate(in LogContext context);
}

/// <summary>A compiled substitution format string (`%REQ(X)%` …); writes without intermediate objects.</summary>
public interface IFormatter
{
    /// <summary>Appends the formatted text; a missing value prints as "-" (or nothing where the format says so).</summary>
    void Format(in LogContext context, System.Buffers.IBufferWriter<byte> output);
}
