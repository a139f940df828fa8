using System.Globalization;
using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>Puts what is known at the end of an exchange on its span, and ends it (Envoy's HttpTracerUtility).</summary>
internal static class SpanFinalizer
{
    /// <summary>The span of a downstream request.</summary>
    public static void FinishDownstream(ISpan span, in LogContext context)
    {
        if (span.Records && span.Settings is { } settings)
        {
            SetNode(span, settings);
            if (context.RequestHeaders is { } headers)
            {
                SetRequest(span, settings, headers, context.StreamInfo);
            }
            span.SetTag("request_size", Text(context.StreamInfo.BytesReceived));
            span.SetTag("response_size", Text(context.StreamInfo.BytesSent));
            SetOutcome(span, settings, context.StreamInfo);
            SetGrpcResponse(span, context);
            settings.Naming.Apply(NamingOf(context.StreamInfo), span, context, upstream: false);
        }
        span.Finish();
    }

    /// <summary>The span of one attempt, or of a call the proxy made itself.</summary>
    /// <param name="context">StreamInfo is the attempt's own.</param>
    public static void FinishUpstream(ISpan span, in LogContext context)
    {
        if (span.Records && span.Settings is { } settings)
        {
            SetUpstream(span, context.StreamInfo);
            SetOutcome(span, settings, context.StreamInfo);
            settings.Naming.Apply(NamingOf(context.StreamInfo), span, context, upstream: true);
        }
        span.Finish();
    }

    /// <summary>A call of the proxy's own (ext_authz, rate limit, mirror): not named or tagged as the HCM's spans are.</summary>
    public static void FinishCall(ISpan span, StreamInfo info)
    {
        if (span.Records && span.Settings is { } settings)
        {
            SetUpstream(span, info);
            SetOutcome(span, settings, info);
        }
        span.Finish();
    }

    private static SpanNaming NamingOf(StreamInfo info) => info.Route is RouteEntry { Tracing: { } tracing } ? tracing.Naming : SpanNaming.None;

    private static void SetNode(ISpan span, SpanSettings settings)
    {
        span.SetTag("node_id", settings.NodeId);
        span.SetTag("zone", settings.Zone);
    }

    private static void SetRequest(ISpan span, SpanSettings settings, HeaderMap headers, StreamInfo info)
    {
        if (headers.GetString(KnownHeader.XRequestId) is { } id)
        {
            span.SetTag("guid:x-request-id", id);
        }
        span.SetTag("http.url", Url(headers, settings.MaxPathLength));
        span.SetTag("http.method", headers.GetString(KnownHeader.Method) ?? "");
        span.SetTag("downstream_cluster", OrDash(headers.GetString(KnownHeader.EnvoyDownstreamServiceCluster)));
        span.SetTag("user_agent", OrDash(headers.GetString(KnownHeader.UserAgent)));
        span.SetTag("http.protocol", OrDash(OperatorTable.Protocol(info.Protocol)));
        span.SetTag("peer.address", info.Downstream.DirectRemoteAddress is IPEndPoint peer
            ? peer.Address.ToString()
            : info.Downstream.DirectRemoteAddress?.ToString() ?? "");
        if (headers.GetString(KnownHeader.XClientTraceId) is { } client)
        {
            span.SetTag("guid:x-client-trace-id", client);
        }
        if (GrpcCommon.IsGrpcRequest(headers))
        {
            SetIfPresent(span, "grpc.path", headers, KnownHeader.Path);
            SetIfPresent(span, "grpc.authority", headers, KnownHeader.Authority);
            SetIfPresent(span, "grpc.content_type", headers, KnownHeader.ContentType);
            SetIfPresent(span, "grpc.timeout", headers, KnownHeader.GrpcTimeout);
        }
    }

    private static void SetUpstream(ISpan span, StreamInfo info)
    {
        span.SetTag("http.protocol", OrDash(OperatorTable.Protocol(info.Protocol)));
        if (info.Upstream?.Host is { } host)
        {
            span.SetTag("upstream_address", host.AddressText);
            span.SetTag("peer.address", host.AddressText);
        }
    }

    private static void SetOutcome(ISpan span, SpanSettings settings, StreamInfo info)
    {
        span.SetTag("component", "proxy");
        if (info.UpstreamCluster is { } cluster)
        {
            span.SetTag("upstream_cluster", cluster.Name);
            span.SetTag("upstream_cluster.name", cluster.ObservabilityName);
        }
        span.SetTag("http.status_code", Text(info.ResponseCode));
        span.SetTag("response_flags", ResponseFlagNames.Join(info));
        if (settings.Verbose)
        {
            LogTimes(span, info);
        }
        if (info.ResponseCode is 0 or >= 500)
        {
            span.SetTag("error", "true");
        }
    }

    private static void LogTimes(ISpan span, StreamInfo info)
    {
        LogTime(span, info, info.LastDownstreamRxByteReceived, "last_downstream_rx_byte_received");
        if (info.Upstream is { } upstream)
        {
            LogTime(span, info, upstream.FirstTxByteSent, "first_upstream_tx_byte_sent");
            LogTime(span, info, upstream.LastTxByteSent, "last_upstream_tx_byte_sent");
            LogTime(span, info, upstream.FirstRxByteReceived, "first_upstream_rx_byte_received");
            LogTime(span, info, upstream.LastRxByteReceived, "last_upstream_rx_byte_received");
        }
        LogTime(span, info, info.FirstDownstreamTxByteSent, "first_downstream_tx_byte_sent");
        LogTime(span, info, info.LastDownstreamTxByteSent, "last_downstream_tx_byte_sent");
    }

    private static void LogTime(ISpan span, StreamInfo info, long nanoseconds, string text)
    {
        if (nanoseconds != 0)
        {
            span.Log(info.StartTime.AddTicks((nanoseconds - info.StartNanoseconds) / TimeSpan.NanosecondsPerTick), text);
        }
    }

    private static void SetGrpcResponse(ISpan span, in LogContext context)
    {
        var headers = context.ResponseTrailers is { } trailers && trailers.Contains(KnownHeader.GrpcStatus) ? trailers
            : context.ResponseHeaders is { } response && response.Contains(KnownHeader.GrpcStatus) ? response : null;
        if (headers is null)
        {
            return;
        }
        SetIfPresent(span, "grpc.status_code", headers, KnownHeader.GrpcStatus);
        SetIfPresent(span, "grpc.message", headers, KnownHeader.GrpcMessage);
        // What the server is to blame for; the others tell of the request.
        if (GrpcCommon.Status(headers) is -1 or GrpcStatus.Unknown or GrpcStatus.DeadlineExceeded or GrpcStatus.Unimplemented
            or GrpcStatus.Internal or GrpcStatus.Unavailable or GrpcStatus.DataLoss)
        {
            span.SetTag("error", "true");
        }
    }

    private static string Url(HeaderMap headers, int maxPath)
    {
        var path = headers.GetString(KnownHeader.EnvoyOriginalPath) ?? headers.GetString(KnownHeader.Path) ?? "";
        return string.Concat(headers.GetString(KnownHeader.Scheme), "://", headers.GetString(KnownHeader.Authority),
            path.AsSpan(0, Math.Min(path.Length, maxPath)));
    }

    private static void SetIfPresent(ISpan span, string tag, HeaderMap headers, KnownHeader header)
    {
        if (headers.GetString(header) is { } value)
        {
            span.SetTag(tag, value);
        }
    }

    private static string OrDash(string? value) => string.IsNullOrEmpty(value) ? "-" : value;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
