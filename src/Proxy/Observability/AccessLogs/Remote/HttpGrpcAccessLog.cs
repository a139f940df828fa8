using Envoy.Data.Accesslog.V3;
using MeshProxy.Proxy.Http;
using RequestMethod = Envoy.Config.Core.V3.RequestMethod;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>access_loggers.grpc.v3.HttpGrpcAccessLogConfig: requests told to an access log service.</summary>
internal sealed class HttpGrpcAccessLog(
    GrpcLogService service, CommonProperties common, LoggedHeaders requestHeaders, LoggedHeaders responseHeaders,
    LoggedHeaders responseTrailers) : IAccessLog
{
    public void Log(in LogContext context)
    {
        var entry = HTTPAccessLogEntry.New();
        entry.CommonProperties = common.Of(context);
        entry.ProtocolVersion = Version(context.StreamInfo.Protocol);
        entry.Request = Request(context);
        entry.Response = Response(context);
        service.Add(entry.Message);
    }

    private HTTPRequestProperties Request(in LogContext context)
    {
        var info = context.StreamInfo;
        var message = HTTPRequestProperties.New();
        message.RequestBodyBytes = (ulong)info.BytesReceived;
        message.DownstreamHeaderBytesReceived = (ulong)info.DownstreamHeaderBytesReceived;
        message.UpstreamHeaderBytesSent = (ulong)(info.Upstream?.HeaderBytesSent ?? 0);
        if (context.RequestHeaders is { } headers)
        {
            AddHeaders(message, headers);
            requestHeaders.AddTo(message.RequestHeaders, headers);
        }
        return message;
    }

    private static void AddHeaders(HTTPRequestProperties message, HeaderMap headers)
    {
        message.RequestMethod = Method(headers.GetString(KnownHeader.Method));
        message.Scheme = headers.GetString(KnownHeader.Scheme) ?? "";
        message.Authority = headers.GetString(KnownHeader.Authority) ?? "";
        message.Path = headers.GetString(KnownHeader.Path) ?? "";
        message.UserAgent = headers.GetString(KnownHeader.UserAgent) ?? "";
        message.Referer = headers.GetString(KnownHeader.Referer) ?? "";
        message.ForwardedFor = headers.GetString(KnownHeader.XForwardedFor) ?? "";
        message.RequestId = headers.GetString(KnownHeader.XRequestId) ?? "";
        message.OriginalPath = headers.GetString(KnownHeader.EnvoyOriginalPath) ?? "";
        message.RequestHeadersBytes = (ulong)headers.ByteSize;
    }

    private HTTPResponseProperties Response(in LogContext context)
    {
        var info = context.StreamInfo;
        var message = HTTPResponseProperties.New();
        message.ResponseCode = info.ResponseCode > 0 ? (uint)info.ResponseCode : null;
        message.ResponseCodeDetails = info.ResponseCodeDetails ?? "";
        message.ResponseHeadersBytes = (ulong)(context.ResponseHeaders?.ByteSize ?? 0);
        message.ResponseBodyBytes = (ulong)info.BytesSent;
        message.DownstreamHeaderBytesSent = (ulong)info.DownstreamHeaderBytesSent;
        message.UpstreamHeaderBytesReceived = (ulong)(info.Upstream?.HeaderBytesReceived ?? 0);
        responseHeaders.AddTo(message.ResponseHeaders, context.ResponseHeaders);
        responseTrailers.AddTo(message.ResponseTrailers, context.ResponseTrailers);
        return message;
    }

    private static HTTPAccessLogEntry.HTTPVersion Version(HttpProtocol? protocol) => protocol switch
    {
        HttpProtocol.Http10 => HTTPAccessLogEntry.HTTPVersion.Http10,
        HttpProtocol.Http11 => HTTPAccessLogEntry.HTTPVersion.Http11,
        HttpProtocol.Http2 => HTTPAccessLogEntry.HTTPVersion.Http2,
        _ => HTTPAccessLogEntry.HTTPVersion.ProtocolUnspecified,
    };

    private static RequestMethod Method(string? method) => method switch
    {
        "GET" => RequestMethod.Get,
        "HEAD" => RequestMethod.Head,
        "POST" => RequestMethod.Post,
        "PUT" => RequestMethod.Put,
        "DELETE" => RequestMethod.Delete,
        "CONNECT" => RequestMethod.Connect,
        "OPTIONS" => RequestMethod.Options,
        "TRACE" => RequestMethod.Trace,
        "PATCH" => RequestMethod.Patch,
        _ => RequestMethod.MethodUnspecified,
    };
}
