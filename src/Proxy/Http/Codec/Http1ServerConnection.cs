using System.Text;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// The server side of HTTP/1 on one connection (Envoy's Http1::ServerConnectionImpl). One request at a time: bytes behind
/// a complete request stay in the buffer, and reading is disabled, until its answer was written.
/// </summary>
public sealed class Http1ServerConnection : Http1Connection, IServerConnection
{
    /// <summary>Answers that may wait for a client that sends requests but does not read (Envoy: max_outbound_responses).</summary>
    private const int MaxUnsentResponses = 100;

    private readonly IServerConnectionCallbacks _callbacks;
    private int _unsentResponses;
    private Http1ServerStream? _active;
    private Http1ServerStream? _spare;
    private Http1ServerStream? _last;
    private HeaderMap? _headers;

    public Http1ServerConnection(
        Connection connection, IServerConnectionCallbacks callbacks, Http1Settings settings, CodecLimits limits, Http1Stats stats)
        : base(connection, settings, limits, stats, true) => _callbacks = callbacks;

    private protected override Http1Stream? Current => _active;

    private protected override bool AllowEmptyLines => true;

    public override CodecError? Dispatch(ByteBuffer data)
    {
        if (_active is { RemoteComplete: true })
        {
            _active.ReadDisable(true);
            return null;
        }
        var error = Process(data, true);
        if (error is null && _active is { RemoteComplete: true } active && !data.IsEmpty)
        {
            active.ReadDisable(true);
        }
        return error;
    }

    internal void OnResponseEnd(Http1ServerStream stream)
    {
        // An answer that ends before its request leaves the stream in place: only a reset can follow.
        _unsentResponses++;
        if (ReferenceEquals(stream, _active) && stream.RemoteComplete)
        {
            _active = null;
            stream.ReleaseReads();
            _spare = _last;
            _last = stream;
        }
    }

    private protected override bool OnBegin(byte first)
    {
        if (Connection.UnsentBytes == 0)
        {
            _unsentResponses = 0;
        }
        else if (_unsentResponses >= MaxUnsentResponses)
        {
            Stats.ResponseFlood();
            Fail(new CodecError(CodecErrorKind.BufferFlood, CodecDetails.Http1ResponseFlood));
            return false;
        }
        // Two streams take turns: who still holds the last one must not see it become the next.
        var stream = _spare ?? new Http1ServerStream(this);
        _spare = null;
        stream.Begin();
        _active = stream;
        stream.Decoder = _callbacks.NewStream(stream);
        if (Settings.AllowCustomMethods || Http1Methods.CanBegin(first))
        {
            return true;
        }
        Refuse(CodecDetails.Http1CodecError, null);
        return false;
    }

    private protected override Phase? OnHead(HeaderMap headers, ref Http1Head head)
    {
        Protocol = head.IsHttp11 ? HttpProtocol.Http11 : HttpProtocol.Http10;
        _headers = headers;
        var isConnect = head.Method.SequenceEqual("CONNECT"u8);
        var upgraded = TakeUpgrade(headers) || isConnect;
        var details = CheckFraming(headers, ref head, isConnect);
        if (details is null && !upgraded && headers.TryGet(KnownHeader.Connection, out var nominated)
            && !ConnectionHeader.NominatesNothing(nominated) && !ConnectionHeader.Sanitize(headers))
        {
            details = CodecDetails.Http1ConnectionHeaderRejected;
        }
        details ??= SetTarget(headers, ref head, isConnect);
        if (details is not null)
        {
            Refuse(details, headers);
            return null;
        }
        _active!.OnRequestHead(head.Method.SequenceEqual("HEAD"u8), isConnect);
        return upgraded ? Phase.Upgraded
            : head.HasTransferEncoding ? Phase.ChunkedBody
            : head.ContentLength > 0 ? Phase.FixedBody
            : Phase.Head;
    }

    private protected override void DeliverHead(bool endStream)
    {
        var headers = _headers!;
        _headers = null;
        _active!.Decoder!.DecodeHeaders(headers, endStream);
    }

    private protected override void OnBody(ByteBuffer body, bool endStream) => _active?.Decoder!.DecodeData(body, endStream);

    private protected override void OnTrailers(HeaderMap trailers) => _active?.Decoder!.DecodeTrailers(trailers);

    private protected override void OnComplete() => _active!.RemoteComplete = true;

    private protected override void Refuse(string details, HeaderMap? headers)
    {
        var isGrpc = headers is not null && headers.TryGet(KnownHeader.ContentType, out var type)
            && (type.SequenceEqual("application/grpc"u8) || type.StartsWith("application/grpc+"u8));
        headers?.Return();
        _headers = null;
        var stream = _active!;
        stream.ResponseDetails = details;
        Fail(new CodecError(CodecErrorKind.Protocol, details));
        if (!stream.StartedResponse)
        {
            var code = StatusOf(details);
            stream.Decoder!.SendLocalReply(code, StatusLines.Phrase(code), details, isGrpc);
        }
    }

    private static int StatusOf(string details) => details switch
    {
        CodecDetails.Http1HeadersTooLarge or CodecDetails.Http1TooManyHeaders or CodecDetails.Http1TrailersTooLarge
            or CodecDetails.Http1TooManyTrailers => 431,
        CodecDetails.Http1InvalidTransferEncoding => 501,
        CodecDetails.LowVersion => 426,
        CodecDetails.Http1HttpsInPlaintext => 403,
        _ => 400,
    };

    // True if the connection changes its protocol behind this head.
    private bool TakeUpgrade(HeaderMap headers)
    {
        if (!HeaderTokens.IsUpgrade(headers))
        {
            return false;
        }
        var token = headers.Get(KnownHeader.Upgrade);
        if (Ascii.EqualsIgnoreCase(token, "h2c"u8))
        {
            ConnectionHeader.RemoveUpgrade(headers, true);
            return false;
        }
        if (Settings.IgnoredUpgrade is { } ignored && ignored(Encoding.Latin1.GetString(token)))
        {
            ConnectionHeader.RemoveUpgrade(headers, false);
            return false;
        }
        return true;
    }

    private string? CheckFraming(HeaderMap headers, ref Http1Head head, bool isConnect)
    {
        if (isConnect && head.HasContentLength)
        {
            if (!headers.Get(KnownHeader.ContentLength).SequenceEqual("0"u8))
            {
                return CodecDetails.Http1BodyDisallowed;
            }
            headers.Remove(KnownHeader.ContentLength);
            head.HasContentLength = false;
        }
        if (!head.HasTransferEncoding)
        {
            return null;
        }
        var isChunked = Ascii.EqualsIgnoreCase(headers.Get(KnownHeader.TransferEncoding), "chunked"u8);
        if (head.HasContentLength)
        {
            if (!isChunked || !Settings.AllowChunkedLength)
            {
                return CodecDetails.Http1BothLengths;
            }
            headers.Remove(KnownHeader.ContentLength);
        }
        return isChunked && !isConnect ? null : CodecDetails.Http1InvalidTransferEncoding;
    }

    private string? SetTarget(HeaderMap headers, ref Http1Head head, bool isConnect)
    {
        var target = head.Target;
        var isOrigin = !isConnect && (target[0] == '/' || (target[0] == '*' && head.Method.SequenceEqual("OPTIONS"u8)));
        if (isOrigin || (!Settings.AllowAbsoluteUrl && !isConnect))
        {
            headers.Add(KnownHeader.Path, target);
        }
        else if (!Http1Target.TryParseAbsolute(target, isConnect, out var scheme, out var authority, out var path))
        {
            return CodecDetails.Http1InvalidUrl;
        }
        else
        {
            headers.Set(KnownHeader.Authority, authority);
            if (!isConnect && SetScheme(headers, scheme) is { } refusal)
            {
                return refusal;
            }
            if (!path.IsEmpty)
            {
                headers.Add(KnownHeader.Path, path);
            }
        }
        headers.Add(KnownHeader.Method, head.Method);
        return CheckVersionAndHost(headers, ref head);
    }

    private string? SetScheme(HeaderMap headers, ReadOnlySpan<byte> scheme)
    {
        var isHttps = Ascii.EqualsIgnoreCase(scheme, "https"u8);
        if (!isHttps && !Ascii.EqualsIgnoreCase(scheme, "http"u8))
        {
            return CodecDetails.Http1InvalidScheme;
        }
        headers.Add(KnownHeader.Scheme, isHttps ? "https"u8 : "http"u8);
        return isHttps && Settings.ValidateScheme && Connection.Tls is null ? CodecDetails.Http1HttpsInPlaintext : null;
    }

    private string? CheckVersionAndHost(HeaderMap headers, ref Http1Head head)
    {
        if (!head.IsHttp11)
        {
            if (!Settings.AcceptHttp10)
            {
                return CodecDetails.LowVersion;
            }
            if (!headers.Contains(KnownHeader.Authority) && Settings.DefaultHostForHttp10.Length > 0)
            {
                headers.Set(KnownHeader.Authority, Settings.DefaultHostForHttp10);
            }
        }
        return headers.TryGet(KnownHeader.Authority, out var host) && !Http1Target.IsAuthority(host)
            ? CodecDetails.InvalidAuthority
            : null;
    }
}
