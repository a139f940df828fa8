using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Times between two points of an exchange.</summary>
internal static class DurationOperators
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>`%DURATION%`: start to end, or to now while it goes on; milliseconds.</summary>
    public static long? Total(in LogContext context)
    {
        var info = context.StreamInfo;
        var end = info.RequestComplete != 0 ? info.RequestComplete : EventLoop.NowNanoseconds;
        return Milliseconds(info.StartNanoseconds, end);
    }

    public static long? Request(in LogContext context) =>
        SinceStart(context, context.StreamInfo.LastDownstreamRxByteReceived);

    public static long? RequestSent(in LogContext context) =>
        SinceStart(context, context.StreamInfo.Upstream?.LastTxByteSent ?? 0);

    public static long? Response(in LogContext context) =>
        SinceStart(context, context.StreamInfo.Upstream?.FirstRxByteReceived ?? 0);

    public static long? ResponseSent(in LogContext context) =>
        Milliseconds(context.StreamInfo.Upstream?.FirstRxByteReceived ?? 0, context.StreamInfo.LastDownstreamTxByteSent);

    public static long? DownstreamHandshake(in LogContext context) =>
        SinceStart(context, context.StreamInfo.DownstreamHandshakeComplete);

    public static long? PoolReady(in LogContext context) =>
        context.StreamInfo.Upstream is { } upstream ? Milliseconds(upstream.PoolRequested, upstream.PoolReady) : null;

    public static long? None(in LogContext context) => null;

    /// <summary>`%COMMON_DURATION(START:END:PRECISION)%`.</summary>
    public static FormatOperator Common(string argument)
    {
        var parts = argument.Split(':');
        if (parts.Length != 3)
        {
            throw new ConfigurationException(
                $"%COMMON_DURATION({argument})% is not understood; write %COMMON_DURATION(START:END:PRECISION)%.");
        }
        var divisor = parts[2] switch
        {
            "ms" => NanosecondsPerMillisecond,
            "us" => 1000L,
            "ns" => 1L,
            _ => throw new ConfigurationException(
                $"%COMMON_DURATION({argument})% has the precision '{parts[2]}'; use ms, us or ns."),
        };
        var start = Point(parts[0]);
        var end = Point(parts[1]);
        return new NumberOperator((in LogContext context) =>
            start(context) is var from and not 0 && end(context) is var to && to >= from ? (to - from) / divisor : null);
    }

    private delegate long PointGetter(in LogContext context);

    // A point under any other name is one a filter may set; none of ours does, so its duration has no value.
    private static PointGetter Point(string name) =>
        name switch
        {
            "DS_RX_BEG" => static (in LogContext context) => context.StreamInfo.StartNanoseconds,
            "DS_RX_END" => static (in LogContext context) => context.StreamInfo.LastDownstreamRxByteReceived,
            "US_CX_BEG" => static (in LogContext context) => context.StreamInfo.Upstream?.ConnectStart ?? 0,
            "US_CX_END" => static (in LogContext context) => context.StreamInfo.Upstream?.ConnectComplete ?? 0,
            "US_HS_END" => static (in LogContext context) => context.StreamInfo.Upstream?.HandshakeComplete ?? 0,
            "US_TX_BEG" => static (in LogContext context) => context.StreamInfo.Upstream?.FirstTxByteSent ?? 0,
            "US_TX_END" => static (in LogContext context) => context.StreamInfo.Upstream?.LastTxByteSent ?? 0,
            "US_RX_BEG" => static (in LogContext context) => context.StreamInfo.Upstream?.FirstRxByteReceived ?? 0,
            "US_RX_BODY_BEG" => static (in LogContext context) => context.StreamInfo.Upstream?.FirstRxBodyReceived ?? 0,
            "US_RX_END" => static (in LogContext context) => context.StreamInfo.Upstream?.LastRxByteReceived ?? 0,
            "DS_TX_BEG" => static (in LogContext context) => context.StreamInfo.FirstDownstreamTxByteSent,
            "DS_TX_END" => static (in LogContext context) => context.StreamInfo.LastDownstreamTxByteSent,
            _ => static (in LogContext context) => 0,
        };

    private static long? SinceStart(in LogContext context, long point) => Milliseconds(context.StreamInfo.StartNanoseconds, point);

    private static long? Milliseconds(long start, long end) =>
        start == 0 || end == 0 || end < start ? null : (end - start) / NanosecondsPerMillisecond;
}
