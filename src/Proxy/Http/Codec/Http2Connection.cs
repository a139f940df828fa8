using System.Buffers.Binary;
using MeshProxy.Proxy.Http.Codec.Hpack;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// What both sides of HTTP/2 share (RFC 9113): frames in, the streams' life, windows. What is malformed is answered as
/// Envoy's library answers it: some faults end the connection with GOAWAY, some without, some only the stream.
/// </summary>
public abstract partial class Http2Connection : IHttpConnection
{
    private const string FrameError = "codec_error:http2_";

    private readonly Dictionary<uint, Http2Stream> _streams = [];
    private readonly List<Http2Stream> _closed = [];
    private readonly HpackDecoder _decoder;
    private readonly Http2HeaderBlock _block;
    private readonly Http2FloodGuard _guard;
    private readonly ByteBuffer _piece = new();
    private readonly ByteBuffer _fragments = new();
    private readonly bool _isServer;
    private readonly long _maxBlockBytes;

    private int _prefaceSeen;
    private bool _firstFrameSeen;
    private bool _dispatching;
    private CodecError? _error;
    private int _settingsUnacknowledged = 1;
    private uint _highestStream;

    private uint _blockStreamId;
    private Http2Stream? _blockStream;
    private bool _blockEndsStream;
    private bool _inBlock;

    private Http2Stream? _dataStream;
    private int _dataLeft;
    private int _paddingLeft;
    private bool _inData;
    private bool _padLengthDue;
    private bool _dataEndsStream;
    private long _dataFrameLength;

    private long _receiveWindow;
    private long _consumed;

    private protected Http2Connection(
        Connection connection, Http2Settings settings, CodecLimits limits, Http2Stats stats, bool isServer)
    {
        Connection = connection;
        Settings = settings;
        Stats = stats;
        _isServer = isServer;
        _decoder = new HpackDecoder((int)settings.HpackTableSize);
        _encoder = new HpackEncoder((int)settings.HpackTableSize);
        _block = new Http2HeaderBlock(limits, stats, isServer, settings.AllowConnect);
        _guard = new Http2FloodGuard(settings, stats);
        // Compressed blocks beyond this cannot be of use: four times the limit of the uncompressed form, so that a block
        // somewhat too large still costs only its stream.
        _maxBlockBytes = (limits.MaxHeadersKb * 4096L) + Http2Protocol.MaxFrameLength;
        _receiveWindow = settings.InitialConnectionWindowSize;
        QueueOpening();
        StartKeepalive();
    }

    public HttpProtocol Protocol => HttpProtocol.Http2;

    /// <summary>Streams ended by their users still wait for a window.</summary>
    public bool WantsToWrite => _waiting.Count > 0;

    internal Connection Connection { get; }

    internal bool IsServer => _isServer;

    internal Http2Settings Settings { get; }

    internal Http2Stats Stats { get; }

    private protected int ActiveStreams => _streams.Count;

    private protected bool SettingsAcknowledged => _settingsUnacknowledged == 0;

    private protected long PeerInitialWindow { get; private set; } = Http2Protocol.DefaultWindow;

    private protected abstract StreamResetReason MessagingErrorReason { get; }

    public CodecError? Dispatch(ByteBuffer data)
    {
        if (_error is not null)
        {
            data.Clear();
            return _error;
        }
        _dispatching = true;
        RecycleClosed();
        NoteReceived();
        while (!data.IsEmpty && _error is null && Connection.State == ConnectionState.Open)
        {
            if (!Step(data))
            {
                break;
            }
        }
        _dispatching = false;
        if (_error is null)
        {
            Flush();
        }
        else
        {
            data.Clear();
        }
        return _error;
    }

    public void OnUnderlyingConnectionAboveWriteBufferHighWatermark()
    {
        foreach (var stream in Snapshot())
        {
            stream.OnAboveWatermark();
        }
    }

    public void OnUnderlyingConnectionBelowWriteBufferLowWatermark()
    {
        foreach (var stream in Snapshot())
        {
            stream.OnBelowWatermark();
        }
    }

    /// <summary>The peer's HEADERS begin a stream: make and <see cref="Register"/> it, or null to ignore the block.</summary>
    private protected abstract Http2Stream? OnHeadersOfNewStream(uint id);

    private protected abstract Http2BlockKind ExpectedBlock(Http2Stream stream);

    /// <summary>Whether content-length describes a body that follows.</summary>
    private protected abstract bool TakesBody(Http2Stream stream, int status);

    private protected abstract void DecodeInterim(Http2Stream stream, HeaderMap headers);

    private protected abstract void OnPeerGoAway(uint lastStream, bool isError);

    private protected abstract void OnPeerMaxStreams(uint maxStreams);

    private protected abstract void Recycle(Http2Stream stream);

    private protected void Register(Http2Stream stream)
    {
        _streams.Add(stream.Id, stream);
        _highestStream = Math.Max(_highestStream, stream.Id);
        Stats.Inc(Http2Stats.Stat.StreamsActive);
        _guard.OnStreamOpened();
    }

    /// <summary>Ends the connection without GOAWAY.</summary>
    private protected T? Abort<T>(string details)
        where T : class
    {
        Abort(details);
        return null;
    }

    private protected void ResetAbove(uint lastStream)
    {
        foreach (var stream in Snapshot())
        {
            if (!stream.Closed && stream.Id > lastStream)
            {
                stream.SetDetails(CodecDetails.Http2RemoteRefused);
                Close(stream);
                stream.TellReset(StreamResetReason.RemoteRefusedStreamReset);
            }
        }
    }

    /// <summary>The reader took bytes of a stream: windows open again once half is used.</summary>
    internal void Consume(Http2Stream stream, long bytes)
    {
        ConsumeConnection(bytes);
        stream.Consumed += bytes;
        if (!stream.Closed && !stream.RemoteEnd && stream.Consumed * 2 >= Settings.InitialStreamWindowSize)
        {
            stream.ReceiveWindow += stream.Consumed;
            QueueWindowUpdate(stream.Id, stream.Consumed);
            stream.Consumed = 0;
        }
    }

    /// <summary>Held bytes of a stream were handed on outside a dispatch.</summary>
    internal void OnDelivered(Http2Stream stream)
    {
        CloseIfDone(stream);
        Flush();
    }

    private void ConsumeConnection(long bytes)
    {
        _consumed += bytes;
        if (_consumed * 2 >= Settings.InitialConnectionWindowSize)
        {
            _receiveWindow += _consumed;
            QueueWindowUpdate(0, _consumed);
            _consumed = 0;
        }
    }

    private void Abort(string details) => _error ??= new CodecError(CodecErrorKind.Protocol, details);

    // Ends the connection with GOAWAY.
    private bool Fail(Http2ErrorCode code)
    {
        QueueGoAway(_highestStream, code);
        _error ??= new CodecError(CodecErrorKind.Protocol, FrameError + code);
        _dispatching = false;
        Flush();
        _dispatching = true;
        return false;
    }

    // One frame or a part of one; false if more bytes are needed or the connection failed.
    private bool Step(ByteBuffer data)
    {
        if (_isServer && _prefaceSeen < Http2Protocol.Preface.Length)
        {
            return ReadPreface(data);
        }
        if (_inData)
        {
            return ReadData(data);
        }
        if (data.Length < Http2Protocol.FrameHeaderLength)
        {
            return false;
        }
        var header = data.Linearize(Http2Protocol.FrameHeaderLength);
        var length = (header[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        var type = (Http2FrameType)header[3];
        var flags = header[4];
        var id = BinaryPrimitives.ReadUInt32BigEndian(header[5..]) & int.MaxValue;
        if (!AdmitFrame(type, flags, id, length))
        {
            return false;
        }
        if (type == Http2FrameType.Data)
        {
            data.Drain(Http2Protocol.FrameHeaderLength);
            return Count(type, flags, length) && BeginData(id, flags, length);
        }
        var whole = Http2Protocol.FrameHeaderLength + length;
        if (data.Length < whole)
        {
            return false;
        }
        if (!Count(type, flags, length))
        {
            return false;
        }
        ReadFrame(type, flags, id, data.Linearize(whole)[Http2Protocol.FrameHeaderLength..whole]);
        // What the frame made others do may have closed the connection and with it emptied the buffer.
        data.Drain(Math.Min(whole, data.Length));
        return _error is null;
    }

    private bool Count(Http2FrameType type, byte flags, int length)
    {
        _error ??= _guard.OnReceived(type, type != Http2FrameType.Continuation && (flags & Http2Protocol.EndStream) != 0, length);
        if (_error is not null && _error.Kind == CodecErrorKind.InboundFramesWithEmptyPayload)
        {
            foreach (var stream in Snapshot())
            {
                stream.SetDetails(_error.Details);
            }
        }
        return _error is null;
    }

    private bool ReadPreface(ByteBuffer data)
    {
        var expected = Http2Protocol.Preface[_prefaceSeen..];
        var span = data.FirstSpan;
        var count = Math.Min(span.Length, expected.Length);
        if (!span[..count].SequenceEqual(expected[..count]))
        {
            Abort("codec_error:no_HTTP/2_preface");
            return false;
        }
        _prefaceSeen += count;
        data.Drain(count);
        return true;
    }

    // Rules that hold before a frame is looked into.
    private bool AdmitFrame(Http2FrameType type, byte flags, uint id, int length)
    {
        if (length > Http2Protocol.MaxFrameLength)
        {
            return Fail(Http2ErrorCode.FrameSizeError);
        }
        if (!_firstFrameSeen)
        {
            if (type != Http2FrameType.Settings || (flags & Http2Protocol.Ack) != 0)
            {
                return Fail(Http2ErrorCode.ProtocolError);
            }
            _firstFrameSeen = true;
        }
        if (_inBlock ? type != Http2FrameType.Continuation || id != _blockStreamId : type == Http2FrameType.Continuation)
        {
            return Fail(Http2ErrorCode.ProtocolError);
        }
        return true;
    }

    private void ReadFrame(Http2FrameType type, byte flags, uint id, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case Http2FrameType.Headers:
                ReadHeaders(id, flags, payload);
                break;
            case Http2FrameType.Continuation:
                ReadFragment(payload, (flags & Http2Protocol.EndHeaders) != 0);
                break;
            case Http2FrameType.Priority:
                if (payload.Length != 5)
                {
                    Fail(Http2ErrorCode.FrameSizeError);
                }
                break;
            case Http2FrameType.RstStream:
                ReadReset(id, payload);
                break;
            case Http2FrameType.Settings:
                ReadSettings(id, flags, payload);
                break;
            case Http2FrameType.PushPromise:
                Abort("codec_error:push_promise_received");
                break;
            case Http2FrameType.Ping:
                ReadPing(id, flags, payload);
                break;
            case Http2FrameType.GoAway:
                ReadGoAway(id, payload);
                break;
            case Http2FrameType.WindowUpdate:
                ReadWindowUpdate(id, payload);
                break;
        }
    }

    private void ReadHeaders(uint id, byte flags, ReadOnlySpan<byte> payload)
    {
        if (id == 0)
        {
            Abort("codec_error:headers_on_stream_0");
            return;
        }
        if (!TrimPadding(flags, ref payload))
        {
            Fail(Http2ErrorCode.ProtocolError);
            return;
        }
        _blockStreamId = id;
        _blockEndsStream = (flags & Http2Protocol.EndStream) != 0;
        _blockStream = FindForHeaders(id);
        if (_error is not null)
        {
            return;
        }
        if ((flags & Http2Protocol.HasPriority) != 0)
        {
            if (payload.Length < 5)
            {
                Fail(Http2ErrorCode.FrameSizeError);
                return;
            }
            payload = payload[5..];
        }
        if (_blockStream is { } stream)
        {
            stream.Bytes.HeaderBytesReceived += payload.Length;
            stream.Bytes.WireBytesReceived += payload.Length + Http2Protocol.FrameHeaderLength;
        }
        ReadFragment(payload, (flags & Http2Protocol.EndHeaders) != 0);
    }

    // Null if the block is to be decoded and forgotten.
    private Http2Stream? FindForHeaders(uint id)
    {
        if (_streams.TryGetValue(id, out var stream))
        {
            if (stream.RemoteEnd)
            {
                Abort("codec_error:headers_on_a_half_closed_stream");
            }
            return stream;
        }
        if (id <= _highestStream)
        {
            Stats.Inc(Http2Stats.Stat.HeadersWithoutStream);
            return null;
        }
        stream = OnHeadersOfNewStream(id);
        if (_error is null)
        {
            _highestStream = Math.Max(_highestStream, id);
        }
        return stream;
    }

    private void ReadFragment(ReadOnlySpan<byte> fragment, bool last)
    {
        _inBlock = !last;
        if (last && _fragments.IsEmpty)
        {
            DecodeBlock(fragment);
            return;
        }
        _fragments.Append(fragment);
        if (_fragments.Length > _maxBlockBytes)
        {
            Fail(Http2ErrorCode.EnhanceYourCalm);
            return;
        }
        if (last)
        {
            DecodeBlock(_fragments.Linearize((int)_fragments.Length)[..(int)_fragments.Length]);
            _fragments.Clear();
        }
    }

    private void DecodeBlock(ReadOnlySpan<byte> block)
    {
        var stream = _blockStream;
        _blockStream = null;
        if (stream is { Closed: true })
        {
            stream = null;
        }
        _block.Begin(stream is null ? Http2BlockKind.Ignored : ExpectedBlock(stream));
        if (!_decoder.Decode(block, _block))
        {
            Fail(Http2ErrorCode.CompressionError);
            return;
        }
        if (stream is not null)
        {
            FinishBlock(stream, _blockEndsStream);
        }
    }

    private void FinishBlock(Http2Stream stream, bool endStream)
    {
        _block.Finish(endStream);
        var isTrailers = stream.SawHeaders;
        if (_block.Fault is null && _block.Refusal is null && LengthContradicts(stream, endStream, isTrailers))
        {
            return;
        }
        var headers = _block.Take();
        if (_block.Fault is { } fault)
        {
            FailMessage(stream, fault);
            return;
        }
        if (headers is null)
        {
            stream.SetDetails(_block.Refusal!);
            ResetByCodec(stream, Http2ErrorCode.InternalError, StreamResetReason.RemoteReset);
            return;
        }
        if (!_isServer && !isTrailers && _block.StatusCode < 200)
        {
            DecodeInterim(stream, headers);
            return;
        }
        stream.SawHeaders = true;
        if (endStream)
        {
            stream.RemoteEnd = true;
        }
        if (!isTrailers)
        {
            stream.DecodeHeaders(headers, endStream);
        }
        else
        {
            if (_isServer)
            {
                Stats.Inc(Http2Stats.Stat.Trailers);
            }
            stream.ReceiveTrailers(headers);
        }
        CloseIfDone(stream);
    }

    // Notes what content-length promises; true if the message already breaks it and was dealt with.
    private bool LengthContradicts(Http2Stream stream, bool endStream, bool isTrailers)
    {
        if (isTrailers)
        {
            if (stream.ExpectedBody > 0)
            {
                _block.Take()?.Return();
                FailLength(stream);
                return true;
            }
            return false;
        }
        if (!_isServer && _block.StatusCode == 204)
        {
            stream.ExpectedBody = 0;
        }
        else if (_block.HasContentLength && TakesBody(stream, _block.StatusCode))
        {
            stream.ExpectedBody = (long)Math.Min(_block.ContentLength, long.MaxValue);
            if (endStream && stream.ExpectedBody > 0)
            {
                _block.Take()?.Return();
                FailMessage(stream, CodecDetails.Http2MessagingViolation);
                return true;
            }
        }
        return false;
    }

    // A malformed message: the connection's end, or only the stream's where the settings say so.
    private void FailMessage(Http2Stream stream, string details)
    {
        Stats.Inc(Http2Stats.Stat.RxMessagingError);
        stream.SetDetails(details);
        if (Settings.StreamErrorOnInvalidHttpMessage)
        {
            ResetByCodec(stream, Http2ErrorCode.ProtocolError, MessagingErrorReason);
        }
        else
        {
            Abort(details);
        }
    }

    private void FailLength(Http2Stream stream)
    {
        stream.SetDetails(CodecDetails.Http2RemoteReset);
        ResetByCodec(stream, Http2ErrorCode.ProtocolError, StreamResetReason.ProtocolError);
    }

    private void ResetByCodec(Http2Stream stream, Http2ErrorCode code, StreamResetReason reason)
    {
        Reset(stream, code);
        stream.TellReset(reason);
    }

    private bool BeginData(uint id, byte flags, int length)
    {
        if (id == 0)
        {
            return Fail(Http2ErrorCode.ProtocolError);
        }
        _dataStream = null;
        if (_streams.TryGetValue(id, out var stream))
        {
            if (stream.RemoteEnd)
            {
                return Fail(Http2ErrorCode.StreamClosed);
            }
            if (!stream.SawHeaders)
            {
                return Fail(Http2ErrorCode.ProtocolError);
            }
            _dataStream = stream;
        }
        else if (id > _highestStream || (id % 2 == 0))
        {
            return Fail(Http2ErrorCode.ProtocolError);
        }
        _receiveWindow -= length;
        if (_receiveWindow < 0)
        {
            return Fail(Http2ErrorCode.FlowControlError);
        }
        _inData = true;
        _dataFrameLength = length;
        _dataLeft = length;
        _paddingLeft = 0;
        _padLengthDue = (flags & Http2Protocol.Padded) != 0;
        _dataEndsStream = (flags & Http2Protocol.EndStream) != 0;
        if (_padLengthDue && length == 0)
        {
            return Fail(Http2ErrorCode.FrameSizeError);
        }
        return _padLengthDue || AdmitData();
    }

    // The length of the frame's content is known: is there window for it, and does the message have room for it?
    private bool AdmitData()
    {
        if (_dataStream is { } stream)
        {
            stream.Bytes.WireBytesReceived += _dataFrameLength + Http2Protocol.FrameHeaderLength;
            stream.ReceiveWindow -= _dataFrameLength;
            if (stream.ReceiveWindow < 0)
            {
                _dataStream = null;
                stream.SetDetails(CodecDetails.Http2RemoteReset);
                ResetByCodec(stream, Http2ErrorCode.FlowControlError, StreamResetReason.RemoteReset);
            }
            else if (stream.ExpectedBody >= 0)
            {
                stream.ExpectedBody -= _dataLeft;
                if (stream.ExpectedBody < 0 || (_dataEndsStream && stream.ExpectedBody > 0))
                {
                    _dataStream = null;
                    FailLength(stream);
                }
            }
        }
        FinishDataIfEmpty();
        return true;
    }

    private bool ReadData(ByteBuffer data)
    {
        if (_padLengthDue)
        {
            _padLengthDue = false;
            _paddingLeft = data.FirstSpan[0];
            data.Drain(1);
            _dataLeft -= _paddingLeft + 1;
            if (_dataLeft < 0)
            {
                return Fail(Http2ErrorCode.ProtocolError);
            }
            Discard(_paddingLeft + 1);
            return AdmitData();
        }
        var count = (int)Math.Min(data.Length, _dataLeft > 0 ? _dataLeft : _paddingLeft);
        if (_dataLeft == 0)
        {
            data.Drain(count);
            _paddingLeft -= count;
        }
        else if (_dataStream is { Closed: false } stream)
        {
            _piece.MoveFrom(data, count);
            _dataLeft -= count;
            Deliver(stream);
        }
        else
        {
            data.Drain(count);
            _dataLeft -= count;
            ConsumeConnection(count);
        }
        FinishDataIfEmpty();
        return _error is null;
    }

    // Padding counts for windows and is read at once.
    private void Discard(int bytes)
    {
        if (_dataStream is { } stream)
        {
            Consume(stream, bytes);
        }
        else
        {
            ConsumeConnection(bytes);
        }
    }

    private void Deliver(Http2Stream stream)
    {
        var ends = _dataEndsStream && _dataLeft == 0;
        if (ends)
        {
            stream.RemoteEnd = true;
        }
        stream.Receive(_piece, ends);
        _piece.Clear();
        CloseIfDone(stream);
    }

    private void FinishDataIfEmpty()
    {
        if (_dataLeft > 0 || _paddingLeft > 0 || !_inData)
        {
            return;
        }
        _inData = false;
        if (_dataEndsStream && _dataStream is { Closed: false, RemoteEnd: false } stream)
        {
            Deliver(stream);
        }
        _dataStream = null;
    }

    private static bool TrimPadding(byte flags, ref ReadOnlySpan<byte> payload)
    {
        if ((flags & Http2Protocol.Padded) == 0)
        {
            return true;
        }
        if (payload.IsEmpty || payload[0] >= payload.Length)
        {
            return false;
        }
        payload = payload[1..^payload[0]];
        return true;
    }

    private void ReadReset(uint id, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4)
        {
            Fail(Http2ErrorCode.FrameSizeError);
            return;
        }
        if (id == 0 || id > _highestStream)
        {
            Abort("codec_error:RST_STREAM_on_an_idle_stream");
            return;
        }
        Stats.Inc(Http2Stats.Stat.RxReset);
        if (!_streams.TryGetValue(id, out var stream))
        {
            return;
        }
        stream.Bytes.WireBytesReceived += Http2Protocol.FrameHeaderLength + 4;
        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        stream.SetDetails(
            code == Http2ErrorCode.RefusedStream ? CodecDetails.Http2RemoteRefused : CodecDetails.Http2RemoteReset);
        Close(stream);
        stream.TellReset(code switch
        {
            Http2ErrorCode.RefusedStream => StreamResetReason.RemoteRefusedStreamReset,
            Http2ErrorCode.ConnectError => StreamResetReason.ConnectError,
            Http2ErrorCode.ProtocolError => StreamResetReason.ProtocolError,
            _ => StreamResetReason.RemoteReset,
        });
    }

    private void ReadSettings(uint id, byte flags, ReadOnlySpan<byte> payload)
    {
        if (id != 0)
        {
            Abort("codec_error:SETTINGS_on_a_stream");
            return;
        }
        if ((flags & Http2Protocol.Ack) != 0)
        {
            if (!payload.IsEmpty)
            {
                Fail(Http2ErrorCode.FrameSizeError);
            }
            else if (_settingsUnacknowledged-- == 0)
            {
                Abort("codec_error:unasked_SETTINGS_acknowledgement");
            }
            return;
        }
        if (payload.Length % 6 != 0)
        {
            Fail(Http2ErrorCode.FrameSizeError);
            return;
        }
        for (; !payload.IsEmpty && _error is null; payload = payload[6..])
        {
            ApplySetting(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }
        if (_error is null)
        {
            QueueSettingsAck();
        }
    }

    private void ApplySetting(ushort setting, uint value)
    {
        switch (setting)
        {
            case Http2Setting.HeaderTableSize:
                _encoder.SetPeerLimit(value);
                break;
            case Http2Setting.EnablePush or Http2Setting.EnableConnectProtocol when value > 1:
            case Http2Setting.InitialWindowSize when value > Http2Protocol.MaxWindow:
            case Http2Setting.MaxFrameSize when value is < Http2Protocol.MaxFrameLength or > Http2Protocol.LargestFrameLength:
                Abort("codec_error:invalid_SETTINGS_value");
                break;
            case Http2Setting.MaxConcurrentStreams:
                OnPeerMaxStreams(value);
                break;
            case Http2Setting.InitialWindowSize:
                ChangeInitialWindow(value);
                break;
        }
    }

    private void ChangeInitialWindow(uint value)
    {
        var change = value - PeerInitialWindow;
        PeerInitialWindow = value;
        foreach (var stream in Snapshot())
        {
            if (stream.Closed)
            {
                continue;
            }
            stream.SendWindow += change;
            if (stream.SendWindow > Http2Protocol.MaxWindow)
            {
                stream.SetDetails(CodecDetails.Http2RemoteReset);
                ResetByCodec(stream, Http2ErrorCode.FlowControlError, StreamResetReason.RemoteReset);
            }
            else if (change > 0)
            {
                Send(stream);
            }
        }
    }

    private void ReadPing(uint id, byte flags, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 8)
        {
            Fail(Http2ErrorCode.FrameSizeError);
        }
        else if (id != 0)
        {
            Abort("codec_error:PING_on_a_stream");
        }
        else if ((flags & Http2Protocol.Ack) != 0)
        {
            OnPingAcknowledged(BinaryPrimitives.ReadUInt64BigEndian(payload));
        }
        else
        {
            QueuePing(payload, true);
        }
    }

    private void ReadGoAway(uint id, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 8)
        {
            Fail(Http2ErrorCode.FrameSizeError);
        }
        else if (id != 0)
        {
            Abort("codec_error:GOAWAY_on_a_stream");
        }
        else
        {
            var last = BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue;
            OnPeerGoAway(last, BinaryPrimitives.ReadUInt32BigEndian(payload[4..]) != (uint)Http2ErrorCode.NoError);
        }
    }

    private void ReadWindowUpdate(uint id, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4)
        {
            Fail(Http2ErrorCode.FrameSizeError);
            return;
        }
        var amount = BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue;
        if (amount == 0 || id > _highestStream)
        {
            Abort("codec_error:invalid_WINDOW_UPDATE");
        }
        else if (id == 0)
        {
            OpenConnectionWindow(amount);
        }
        else if (_streams.TryGetValue(id, out var stream))
        {
            stream.SendWindow += amount;
            if (stream.SendWindow > Http2Protocol.MaxWindow)
            {
                Abort("codec_error:stream_window_overflow");
                return;
            }
            Send(stream);
        }
    }

    // What is told to one stream may open or close others.
    private Http2Stream[] Snapshot() => [.. _streams.Values];

    private void CloseIfDone(Http2Stream stream)
    {
        if (!stream.Closed && stream.RemoteEnd && stream.LocalEndSent && stream.Held.IsEmpty)
        {
            Close(stream);
        }
    }

    private void Close(Http2Stream stream)
    {
        stream.Closed = true;
        _streams.Remove(stream.Id);
        Stats.Add(Http2Stats.Stat.StreamsActive, -1);
        ConsumeConnection(stream.Held.Length);
        if (!stream.Unsent.IsEmpty)
        {
            Stats.Add(Http2Stats.Stat.PendingSendBytes, -stream.Unsent.Length);
        }
        if (stream.Blocked)
        {
            _waiting.Remove(stream);
        }
        stream.DropAll();
        _closed.Add(stream);
    }

    // Only in a later turn than the close: until then its users may still hold it.
    private void RecycleClosed()
    {
        foreach (var stream in _closed)
        {
            Recycle(stream);
        }
        _closed.Clear();
    }
}
