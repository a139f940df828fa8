using System.Buffers;
using MeshProxy.Proxy.Http.Codec.Hpack;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>What a header block is expected to be.</summary>
internal enum Http2BlockKind
{
    /// <summary>Decoded only to keep the compression state: the stream is gone or refused.</summary>
    Ignored,
    Request,
    Response,
    Trailers,
}

/// <summary>
/// Receives one header block at a time into a header map and judges it by the rules of RFC 9113 8.2 and 8.3 as Envoy's
/// library does. The first fault decides; later headers are only decoded.
/// </summary>
internal sealed class Http2HeaderBlock(CodecLimits limits, Http2Stats stats, bool isServer, bool allowConnect) : IHeaderSink
{
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> InvalidValueBytes = SearchValues.Create(
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127,
    ]);

    private static readonly SearchValues<byte> AuthorityBytes = SearchValues.Create(
        "!$%&'()*+,-.0123456789:;=ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~"u8);

    private static readonly SearchValues<byte> SchemeBytes = SearchValues.Create(
        "+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private Http2BlockKind _kind;
    private HeaderMap? _headers;
    private bool _sawField;
    private bool _sawHost;
    private int _count;
    private long _size;

    /// <summary>Details of a malformed message; null while none was found.</summary>
    public string? Fault { get; private set; }

    /// <summary>Details of a limit that was exceeded or a name that is not wanted; only the stream suffers.</summary>
    public string? Refusal { get; private set; }

    public bool HasContentLength { get; private set; }

    public ulong ContentLength { get; private set; }

    public int StatusCode { get; private set; }

    /// <summary>Uncompressed bytes of names and values, for byte counts.</summary>
    public long Size => _size;

    public void Begin(Http2BlockKind kind)
    {
        _kind = kind;
        _headers = kind == Http2BlockKind.Ignored ? null : HeaderMap.Rent();
        _sawField = _sawHost = HasContentLength = false;
        _count = StatusCode = 0;
        _size = 0;
        ContentLength = 0;
        Fault = Refusal = null;
    }

    /// <summary>The headers of the finished block, which then belong to the caller; null if they were refused.</summary>
    public HeaderMap? Take()
    {
        var headers = _headers;
        _headers = null;
        if (Fault is not null || Refusal is not null)
        {
            headers?.Return();
            return null;
        }
        return headers;
    }

    public void OnHeader(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_headers is null || Fault is not null || Refusal is not null)
        {
            return;
        }
        value = value.Trim(" \t"u8);
        if (value.ContainsAny(InvalidValueBytes) || !(known.IsPseudo() ? TakePseudo(known, value) : TakeField(known, name, value)))
        {
            Fault = CodecDetails.Http2InvalidHeaderField;
            return;
        }
        _count++;
        _size += name.Length + value.Length;
        if (_size > limits.MaxHeadersKb * 1024L)
        {
            stats.Inc(Http2Stats.Stat.HeaderOverflow);
            Refusal ??= CodecDetails.Http2HeaderListTooLarge;
        }
        else if (_count > limits.MaxHeadersCount)
        {
            stats.Inc(Http2Stats.Stat.HeaderOverflow);
            Refusal ??= CodecDetails.Http2TooManyHeaders;
        }
    }

    /// <summary>All headers came: what is missing or contradicts itself.</summary>
    public void Finish(bool endStream)
    {
        if (_headers is null || Fault is not null || Refusal is not null)
        {
            return;
        }
        var complete = _kind switch
        {
            Http2BlockKind.Request => IsCompleteRequest(_headers) && !(endStream && ContentLength > 0),
            Http2BlockKind.Response => StatusCode != 0 && !(endStream && StatusCode < 200),
            _ => endStream,
        };
        if (!complete)
        {
            Fault = CodecDetails.Http2MessagingViolation;
        }
    }

    private static bool IsCompleteRequest(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.Method, out var method) || !headers.Contains(KnownHeader.Authority))
        {
            return false;
        }
        var hasPath = headers.TryGet(KnownHeader.Path, out var path);
        var isConnect = method.SequenceEqual("CONNECT"u8);
        if (isConnect && !headers.Contains(KnownHeader.Protocol))
        {
            return !hasPath && !headers.Contains(KnownHeader.Scheme);
        }
        return hasPath && headers.Contains(KnownHeader.Scheme) && (isConnect || !headers.Contains(KnownHeader.Protocol))
            && (path[0] == '/' || (path.SequenceEqual("*"u8) && method.SequenceEqual("OPTIONS"u8)));
    }

    private bool TakePseudo(KnownHeader known, ReadOnlySpan<byte> value)
    {
        if (_sawField || value.IsEmpty || _headers!.Contains(known) || !IsExpected(known, value))
        {
            return false;
        }
        _headers.Add(known, value);
        return true;
    }

    private bool IsExpected(KnownHeader known, ReadOnlySpan<byte> value)
    {
        if (_kind == Http2BlockKind.Response)
        {
            return known == KnownHeader.Status && TakeStatus(value);
        }
        return _kind == Http2BlockKind.Request && known switch
        {
            KnownHeader.Method => Http1HeadParser.IsToken(value),
            KnownHeader.Path => !value.ContainsAny((byte)' ', (byte)'\t'),
            KnownHeader.Scheme => char.IsAsciiLetter((char)value[0]) && !value.ContainsAnyExcept(SchemeBytes),
            KnownHeader.Authority => !value.ContainsAnyExcept(AuthorityBytes),
            KnownHeader.Protocol => allowConnect,
            _ => false,
        };
    }

    // 101 has no place in HTTP/2 (RFC 9113 8.6).
    private bool TakeStatus(ReadOnlySpan<byte> value)
    {
        if (value.Length != 3 || !Http1HeadParser.TryParseLength(value, out var status) || status is < 100 or 101)
        {
            return false;
        }
        StatusCode = (int)status;
        return true;
    }

    private bool TakeField(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _sawField = true;
        switch (known)
        {
            case KnownHeader.None:
                if (name.IsEmpty || name.ContainsAnyExcept(NameBytes))
                {
                    return false;
                }
                if (isServer && limits.Underscores != UnderscoresAction.Allow && name.Contains((byte)'_') && !AdmitUnderscore())
                {
                    return true;
                }
                _headers!.Add(name, value);
                return true;
            case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection
                or KnownHeader.TransferEncoding or KnownHeader.Upgrade:
                return false;
            case KnownHeader.Te when !value.SequenceEqual("trailers"u8):
                return false;
            case KnownHeader.ContentLength when _kind != Http2BlockKind.Trailers:
                if (HasContentLength || !Http1HeadParser.TryParseLength(value, out var length))
                {
                    return false;
                }
                HasContentLength = true;
                ContentLength = length;
                break;
            case KnownHeader.Host when _kind == Http2BlockKind.Request:
                return TakeHost(value);
            case KnownHeader.Cookie:
                AddCrumb(value);
                return true;
        }
        _headers!.AddReceived(known, value);
        return true;
    }

    // A host beside :authority is dropped, equal or not: :authority rules (RFC 9113 8.3.1).
    private bool TakeHost(ReadOnlySpan<byte> value)
    {
        if (_sawHost || value.ContainsAnyExcept(AuthorityBytes))
        {
            return false;
        }
        _sawHost = true;
        if (!_headers!.Contains(KnownHeader.Authority))
        {
            _headers.Add(KnownHeader.Authority, value);
        }
        return true;
    }

    private void AddCrumb(ReadOnlySpan<byte> crumb)
    {
        var index = _headers!.IndexOf(KnownHeader.Cookie, 0);
        if (index < 0)
        {
            _headers.Add(KnownHeader.Cookie, crumb);
        }
        else if (_headers.Value(index).IsEmpty)
        {
            _headers.Replace(index, crumb);
        }
        else if (!crumb.IsEmpty)
        {
            _headers.AppendTo(index, "; "u8, crumb);
        }
    }

    private bool AdmitUnderscore()
    {
        if (limits.Underscores == UnderscoresAction.DropHeader)
        {
            stats.Inc(Http2Stats.Stat.DroppedHeadersWithUnderscores);
            return false;
        }
        stats.Inc(Http2Stats.Stat.RejectedWithUnderscores);
        Refusal = CodecDetails.Http2UnexpectedUnderscore;
        return true;
    }
}
