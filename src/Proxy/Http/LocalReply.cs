using System.Text;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http;

/// <summary>Shapes the answers the proxy gives itself (http-semantics 18), after local_reply_config.</summary>
internal sealed class LocalReply(IReadOnlyList<LocalReply.Mapper> mappers, LocalReplyFormat? format)
{
    public static readonly LocalReply Default = new([], null);

    /// <summary>One ResponseMapper: the first whose filter agrees is used.</summary>
    public sealed record Mapper(
        IAccessLogFilter Filter, int? StatusCode, byte[]? Body, HeaderParser HeadersToAdd, LocalReplyFormat? Format);

    /// <summary>The headers and body to send. A gRPC answer has its message in the headers and no body.</summary>
    public (HeaderMap Headers, byte[] Body) Build(HeaderMap? request, StreamInfo info, bool isGrpc, int code, byte[] body,
        Action<HeaderMap>? modifyHeaders, int? grpcStatus)
    {
        var headers = HeaderMap.Rent();
        headers.Set(KnownHeader.Status, code);
        modifyHeaders?.Invoke(headers);
        var typeBefore = headers.GetString(KnownHeader.ContentType);
        var type = Rewrite(request, headers, info, ref code, ref body);
        if (isGrpc)
        {
            MakeGrpc(headers, code, body, grpcStatus);
            return (headers, []);
        }
        if (body.Length == 0)
        {
            headers.Remove(KnownHeader.ContentLength);
            headers.Remove(KnownHeader.ContentType);
            return (headers, body);
        }
        headers.Set(KnownHeader.ContentLength, body.Length);
        var changedByMapper = headers.GetString(KnownHeader.ContentType) != typeBefore;
        if (!headers.Contains(KnownHeader.ContentType) || (HasFormat && !changedByMapper))
        {
            headers.Set(KnownHeader.ContentType, type);
        }
        return (headers, body);
    }

    private bool HasFormat => format is not null || mappers.Count > 0;

    // Returns the content type of the body.
    private string Rewrite(HeaderMap? request, HeaderMap headers, StreamInfo info, ref int code, ref byte[] body)
    {
        info.ResponseCode = code;
        var used = format;
        foreach (var mapper in mappers)
        {
            if (!mapper.Filter.Evaluate(new LogContext(request, headers, null, info)))
            {
                continue;
            }
            body = mapper.Body ?? body;
            if (mapper.StatusCode is { } status && status != code)
            {
                code = status;
                headers.Set(KnownHeader.Status, code);
                info.ResponseCode = code;
            }
            mapper.HeadersToAdd.Evaluate(headers, new LogContext(request, headers, null, info));
            used = mapper.Format ?? format;
            break;
        }
        if (used is null)
        {
            return "text/plain";
        }
        body = used.Format(new LogContext(request, headers, null, info, LocalReplyBody: Encoding.Latin1.GetString(body)));
        return used.ContentType;
    }

    private static void MakeGrpc(HeaderMap headers, int code, byte[] body, int? grpcStatus)
    {
        headers.Set(KnownHeader.Status, 200);
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        if (headers.Get(KnownHeader.GrpcStatus).IsEmpty)
        {
            headers.Set(KnownHeader.GrpcStatus, grpcStatus ?? GrpcStatus.FromHttp(code));
        }
        if (body.Length > 0 && !headers.Contains(KnownHeader.GrpcMessage))
        {
            headers.Set(KnownHeader.GrpcMessage, GrpcCommon.PercentEncode(body));
        }
        headers.Remove(KnownHeader.ContentLength);
    }
}
