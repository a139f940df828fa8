using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// The client side of HTTP/1 on one connection (Envoy's Http1::ClientConnectionImpl). One exchange at a time. The owner
/// dispatches an empty buffer when the peer closed: the end of a body without a length, or a cut message.
/// </summary>
public sealed class Http1ClientConnection : Http1Connection, IClientConnection
{
    private Http1ClientStream? _pending;
    private Http1ClientStream? _spare;
    private Http1ClientStream? _last;
    private HeaderMap? _headers;
    private Http1ClientStream? _finished;
    private int _status;

    public Http1ClientConnection(Connection connection, Http1Settings settings, CodecLimits limits, Http1Stats stats)
        : base(connection, settings, limits, stats, false)
    {
    }

    private protected override Http1Stream? Current => _pending;

    private protected override bool AllowEmptyLines => false;

    public IRequestEncoder NewStream(IResponseDecoder decoder)
    {
        var stream = _spare ?? new Http1ClientStream(this);
        _spare = null;
        stream.Begin(decoder);
        _pending = stream;
        return stream;
    }

    public override CodecError? Dispatch(ByteBuffer data)
    {
        if (!data.IsEmpty)
        {
            return Process(data, false);
        }
        switch (State)
        {
            case Phase.UntilClose when _pending is not null:
                EndUntilClose();
                break;
            case Phase.Head when !MessageBegun:
            case Phase.Upgraded:
                break;
            default:
                Fail(new CodecError(CodecErrorKind.Protocol, CodecDetails.Http1CodecError));
                break;
        }
        return Process(data, false);
    }

    private protected override bool OnBegin(byte first)
    {
        if (first == 'H')
        {
            return true;
        }
        Refuse(CodecDetails.Http1CodecError, null);
        return false;
    }

    private protected override Phase? OnHead(HeaderMap headers, ref Http1Head head)
    {
        Protocol = head.IsHttp11 ? HttpProtocol.Http11 : HttpProtocol.Http10;
        _status = head.StatusCode;
        if (_pending is not { } stream)
        {
            headers.Return();
            Fail(new CodecError(CodecErrorKind.PrematureResponse, CodecDetails.Http1CodecError, _status));
            return null;
        }
        if (CheckFraming(headers, ref head) is { } details)
        {
            Refuse(details, headers);
            return null;
        }
        SetStatus(headers, _status);
        _headers = headers;
        if (_status is >= 100 and < 200 and not 101)
        {
            return Phase.UntilClose;
        }
        if ((stream.IsConnect && _status is >= 200 and < 300)
            || (_status == 101 && stream.IsUpgrade && HeaderTokens.IsUpgrade(headers)))
        {
            return Phase.Upgraded;
        }
        if (stream.IsHead || _status is 101 or 204 or 304)
        {
            return Phase.Head;
        }
        return head.HasTransferEncoding ? Phase.ChunkedBody
            : !head.HasContentLength ? Phase.UntilClose
            : head.ContentLength > 0 ? Phase.FixedBody
            : Phase.Head;
    }

    private protected override void DeliverHead(bool endStream)
    {
        var headers = _headers!;
        _headers = null;
        if (_status is >= 100 and < 200 and not 101)
        {
            ExpectAnotherHead();
            _pending!.Decoder!.Decode1xxHeaders(headers);
            return;
        }
        Receiver(endStream)?.DecodeHeaders(headers, endStream);
    }

    private protected override void OnBody(ByteBuffer body, bool endStream) => Receiver(endStream)?.DecodeData(body, endStream);

    private protected override void OnTrailers(HeaderMap trailers) => Receiver(true)?.DecodeTrailers(trailers);

    // The stream is free for the next exchange before the end is handed on, as that may begin it.
    private protected override void OnComplete()
    {
        _finished = _pending;
        _pending = null;
    }

    private protected override void Refuse(string details, HeaderMap? headers)
    {
        headers?.Return();
        Fail(new CodecError(CodecErrorKind.Protocol, details));
    }

    private IResponseDecoder? Receiver(bool endStream)
    {
        if (!endStream)
        {
            return _pending?.Decoder;
        }
        if (_finished is not { } finished)
        {
            return null;
        }
        _finished = null;
        finished.ReleaseReads();
        // Two streams take turns: the end now handed on may begin the next exchange.
        _spare = _last;
        _last = finished.EncodeComplete ? finished : null;
        return finished.Decoder;
    }

    private string? CheckFraming(HeaderMap headers, ref Http1Head head)
    {
        if (head.HasTransferEncoding && head.HasContentLength)
        {
            if (!Settings.AllowChunkedLength || !IsChunked(headers))
            {
                return CodecDetails.Http1BothLengths;
            }
            headers.Remove(KnownHeader.ContentLength);
        }
        if (head.HasTransferEncoding && !IsChunked(headers))
        {
            return CodecDetails.Http1InvalidTransferEncoding;
        }
        if (head.StatusCode is >= 200 and not 204)
        {
            return null;
        }
        if (head.HasTransferEncoding)
        {
            return CodecDetails.Http1TransferEncodingNotAllowed;
        }
        if (head.HasContentLength)
        {
            if (!headers.Get(KnownHeader.ContentLength).SequenceEqual("0"u8))
            {
                return CodecDetails.Http1ContentLengthNotAllowed;
            }
            headers.Remove(KnownHeader.ContentLength);
        }
        return null;
    }

    private static bool IsChunked(HeaderMap headers) =>
        Ascii.EqualsIgnoreCase(headers.Get(KnownHeader.TransferEncoding), "chunked"u8);

    private static void SetStatus(HeaderMap headers, int status)
    {
        Span<byte> digits = stackalloc byte[3];
        status.TryFormat(digits, out _, default, CultureInfo.InvariantCulture);
        headers.Add(KnownHeader.Status, digits);
    }
}
