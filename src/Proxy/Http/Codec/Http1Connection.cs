using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// What both sides of HTTP/1 share: taking messages apart. A head is parsed once it is whole; bodies are handed on as
/// they come, without copying where they fill whole segments.
/// </summary>
public abstract class Http1Connection : IHttpConnection
{
    private readonly Http1HeadParser _parser;
    private readonly long _maxHeadBytes;
    private readonly ByteBuffer _body = new();
    private ChunkDecoder _chunks;
    private ulong _remaining;
    private int _searched;
    private bool _begun;
    private bool _startLineSeen;
    private bool _completed;
    private CodecError? _error;

    private protected Http1Connection(
        Connection connection, Http1Settings settings, CodecLimits limits, Http1Stats stats, bool isServer)
    {
        Connection = connection;
        Settings = settings;
        Stats = stats;
        _parser = new Http1HeadParser(settings, limits, stats, isServer);
        _maxHeadBytes = limits.MaxHeadersKb * 1024L;
        Formatter = settings.HeaderCase == HeaderCase.ProperCase ? ProperCaseFormatter.Instance : null;
    }

    private protected enum Phase
    {
        Head,
        FixedBody,
        ChunkedBody,
        Trailers,
        UntilClose,
        Upgraded,
    }

    /// <summary>Of the last message received; HTTP/1.1 before the first.</summary>
    public HttpProtocol Protocol { get; private protected set; } = HttpProtocol.Http11;

    public bool WantsToWrite => false;

    internal Connection Connection { get; }

    internal Http1Settings Settings { get; }

    internal HeaderKeyFormatter? Formatter { get; }

    internal ByteBuffer Output { get; } = new();

    private protected Http1Stats Stats { get; }

    private protected Phase State { get; private set; }

    /// <summary>A message's first byte came and its last has not.</summary>
    private protected bool MessageBegun => _begun;

    private protected bool WasReset { get; private set; }

    /// <summary>The stream messages are counted on; null if there is none.</summary>
    private protected abstract Http1Stream? Current { get; }

    public abstract CodecError? Dispatch(ByteBuffer data);

    /// <summary>HTTP/1 has no such notice.</summary>
    public void GoAway()
    {
    }

    /// <summary>HTTP/1 has no such notice.</summary>
    public void ShutdownNotice()
    {
    }

    public void OnUnderlyingConnectionAboveWriteBufferHighWatermark() => Current?.OnAboveWatermark();

    public void OnUnderlyingConnectionBelowWriteBufferLowWatermark() => Current?.OnBelowWatermark();

    internal void OnReset() => WasReset = true;

    /// <summary>Takes as many bytes as the state of things allows; stops behind a message if <paramref name="one"/>.</summary>
    private protected CodecError? Process(ByteBuffer data, bool one)
    {
        if (_error is not null)
        {
            data.Clear();
            return _error;
        }
        _completed = false;
        while (!data.IsEmpty && !WasReset && Connection.State == ConnectionState.Open)
        {
            if (!Step(data) || _error is not null || (one && _completed))
            {
                break;
            }
        }
        if (_error is not null)
        {
            data.Clear();
        }
        return _error;
    }

    private protected void Fail(CodecError error) => _error ??= error;

    private protected void EndUntilClose()
    {
        FinishMessage();
        OnBody(_body, true);
    }

    /// <summary>The first byte of a message; false refuses it.</summary>
    private protected abstract bool OnBegin(byte first);

    /// <summary>A whole head was accepted by the parser. Returns how its body is framed, or null after a refusal.</summary>
    private protected abstract Phase? OnHead(HeaderMap headers, ref Http1Head head);

    /// <summary>The head that <see cref="OnHead"/> saw is to be handed on.</summary>
    private protected abstract void DeliverHead(bool endStream);

    private protected abstract void OnBody(ByteBuffer body, bool endStream);

    private protected abstract void OnTrailers(HeaderMap trailers);

    /// <summary>The message's last byte was taken; called before its end is handed on.</summary>
    private protected abstract void OnComplete();

    /// <summary>Refuses what was received, with an answer where the side can give one.</summary>
    private protected abstract void Refuse(string details, HeaderMap? headers);

    // One step of one message; false if more bytes are needed.
    private bool Step(ByteBuffer data)
    {
        switch (State)
        {
            case Phase.Head:
                return ReadHead(data);
            case Phase.FixedBody:
                ReadFixedBody(data);
                return true;
            case Phase.ChunkedBody:
                return ReadChunkedBody(data);
            case Phase.Trailers:
                return ReadTrailers(data);
            default:
                Count(data.Length);
                OnBody(data, false);
                data.Clear();
                return true;
        }
    }

    private void Count(long bytes)
    {
        if (Current is { } stream)
        {
            stream.Bytes.WireBytesReceived += bytes;
        }
    }

    private bool ReadHead(ByteBuffer data)
    {
        if (!_begun)
        {
            if (!SkipEmptyLines(data))
            {
                return false;
            }
            if (!OnBegin(data.FirstSpan[0]))
            {
                return false;
            }
            _begun = true;
            _searched = 0;
            _startLineSeen = false;
        }
        var end = FindEnd(data);
        if (end < 0)
        {
            RefuseHopelessHead(data);
            return false;
        }
        TakeHead(data, end);
        return true;
    }

    private bool SkipEmptyLines(ByteBuffer data)
    {
        while (AllowEmptyLines && !data.IsEmpty && data.FirstSpan[0] is (byte)'\r' or (byte)'\n')
        {
            var span = data.FirstSpan;
            var text = span.IndexOfAnyExcept((byte)'\r', (byte)'\n');
            data.Drain(text < 0 ? span.Length : text);
        }
        return !data.IsEmpty;
    }

    /// <summary>Whether line ends before a message are skipped (requests only).</summary>
    private protected abstract bool AllowEmptyLines { get; }

    private int FindEnd(ByteBuffer data)
    {
        var end = Http1HeadParser.FindEnd(data.FirstSpan, _searched);
        if (end < 0 && !data.IsContiguous)
        {
            end = Http1HeadParser.FindEnd(data.Linearize((int)Math.Min(data.Length, _maxHeadBytes + BufferSegment.Size)), _searched);
        }
        return end;
    }

    // Before the head is whole: too long already, or a start line that no rest can mend.
    private void RefuseHopelessHead(ByteBuffer data)
    {
        var span = data.FirstSpan;
        _searched = span.Length;
        if (data.Length > _maxHeadBytes)
        {
            Refuse(CodecDetails.Http1HeadersTooLarge, null);
            return;
        }
        if (!_startLineSeen && span.IndexOf((byte)'\n') is >= 0 and var lineEnd)
        {
            _startLineSeen = true;
            if (_parser.CheckStartLine(span[..lineEnd]) is { } details)
            {
                Refuse(details, null);
            }
        }
    }

    private void TakeHead(ByteBuffer data, int length)
    {
        if (Current is { } stream)
        {
            stream.Bytes.HeaderBytesReceived += length;
            stream.Bytes.WireBytesReceived += length;
        }
        var headers = HeaderMap.Rent();
        Http1Head head = default;
        var refusal = length > _maxHeadBytes
            ? CodecDetails.Http1HeadersTooLarge
            : _parser.ParseHead(data.FirstSpan[..length], headers, ref head);
        data.Drain(length);
        if (refusal is not null)
        {
            Refuse(refusal, headers);
            return;
        }
        if (OnHead(headers, ref head) is not { } phase)
        {
            return;
        }
        State = phase;
        _remaining = head.ContentLength;
        _chunks.Reset();
        if (phase == Phase.Head)
        {
            FinishMessage();
        }
        DeliverHead(phase == Phase.Head);
    }

    private void FinishMessage()
    {
        State = Phase.Head;
        _begun = false;
        _completed = true;
        OnComplete();
    }

    /// <summary>An interim answer: the same message goes on with another head.</summary>
    private protected void ExpectAnotherHead()
    {
        State = Phase.Head;
        _begun = false;
    }

    private void ReadFixedBody(ByteBuffer data)
    {
        if ((ulong)data.Length < _remaining)
        {
            _remaining -= (ulong)data.Length;
            Count(data.Length);
            OnBody(data, false);
            data.Clear();
            return;
        }
        Count((long)_remaining);
        _body.MoveFrom(data, (long)_remaining);
        FinishMessage();
        OnBody(_body, true);
        _body.Clear();
    }

    private bool ReadChunkedBody(ByteBuffer data)
    {
        var before = data.Length;
        var wellFormed = _chunks.Decode(data, _body);
        Count(before - data.Length);
        if (!wellFormed)
        {
            _body.Clear();
            Refuse(CodecDetails.Http1CodecError, null);
            return false;
        }
        if (_chunks.Finished)
        {
            State = Phase.Trailers;
            _searched = 0;
            if (!data.IsEmpty)
            {
                return true;
            }
        }
        HandOnBody();
        return true;
    }

    private void HandOnBody()
    {
        if (!_body.IsEmpty)
        {
            OnBody(_body, false);
            _body.Clear();
        }
    }

    private bool ReadTrailers(ByteBuffer data)
    {
        var first = data.Linearize((int)Math.Min(2, data.Length));
        if (first[0] == '\n' || first.SequenceEqual("\r\n"u8))
        {
            var length = first[0] == '\n' ? 1 : 2;
            Count(length);
            data.Drain(length);
            FinishMessage();
            OnBody(_body, true);
            _body.Clear();
            return true;
        }
        var end = FindEnd(data);
        if (end < 0)
        {
            _searched = data.FirstSpan.Length;
            HandOnBody();
            if (data.Length > _maxHeadBytes)
            {
                Refuse(CodecDetails.Http1TrailersTooLarge, null);
            }
            return false;
        }
        TakeTrailers(data, end);
        return true;
    }

    private void TakeTrailers(ByteBuffer data, int length)
    {
        Count(length);
        var trailers = HeaderMap.Rent();
        var refusal = length > _maxHeadBytes
            ? CodecDetails.Http1TrailersTooLarge
            : _parser.ParseTrailers(data.FirstSpan[..length], trailers);
        data.Drain(length);
        if (refusal is not null)
        {
            trailers.Return();
            _body.Clear();
            Refuse(refusal, null);
            return;
        }
        if (!Settings.EnableTrailers || trailers.Count == 0)
        {
            trailers.Return();
            FinishMessage();
            OnBody(_body, true);
            _body.Clear();
            return;
        }
        HandOnBody();
        FinishMessage();
        OnTrailers(trailers);
    }
}
