using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// One HTTP/2 stream, either side: its windows, what waits to be sent, and what was received while its reader had asked to
/// wait. Reused by its connection once it is closed.
/// </summary>
internal abstract class Http2Stream(Http2Connection connection) : IHttpStream, IStreamEncoder
{
    private readonly List<IStreamCallbacks> _callbacks = [];
    private int _readDisables;
    private bool _resetTold;
    private bool _aboveHigh;
    private bool _endHeld;
    private HeaderMap? _heldTrailers;
    private Action? _deliverHeld;
    private LoopTimer? _flushTimer;
    private TimeSpan _flushTimeout;

    public uint Id { get; private set; }

    protected Http2Connection Codec { get; } = connection;

    /// <summary>Bytes that wait for a window.</summary>
    public ByteBuffer Unsent { get; } = new();

    /// <summary>Received bytes that wait for the reader.</summary>
    public ByteBuffer Held { get; } = new();

    /// <summary>Trailers that wait for the body before them.</summary>
    public HeaderMap? UnsentTrailers { get; set; }

    /// <summary>What the peer lets us send; negative after it lowered its initial window.</summary>
    public long SendWindow { get; set; }

    /// <summary>What the peer may still send.</summary>
    public long ReceiveWindow { get; set; }

    /// <summary>Bytes read for which no WINDOW_UPDATE was sent yet.</summary>
    public long Consumed { get; set; }

    /// <summary>Body bytes still expected by content-length; -1 if it is not known.</summary>
    public long ExpectedBody { get; set; } = -1;

    public bool SawHeaders { get; set; }

    /// <summary>The peer ended its side.</summary>
    public bool RemoteEnd { get; set; }

    /// <summary>We were given the end of our side.</summary>
    public bool LocalEnd { get; set; }

    /// <summary>END_STREAM was written.</summary>
    public bool LocalEndSent { get; set; }

    /// <summary>Removed from the connection: nothing more is sent or received.</summary>
    public bool Closed { get; set; }

    /// <summary>In the connection's list of streams that wait for its window.</summary>
    public bool Blocked { get; set; }

    public IHttpStream Stream => this;

    public uint BufferLimit => Codec.Settings.InitialStreamWindowSize;

    public string ResponseDetails { get; private set; } = "";

    public Connection Connection => Codec.Connection;

    public StreamByteCounts Bytes { get; } = new();

    public bool StreamErrorOnInvalidHttpMessage => Codec.Settings.StreamErrorOnInvalidHttpMessage;

    /// <summary>Whether received data must wait.</summary>
    public bool ReadIsDisabled => _readDisables > 0;

    public void AddCallbacks(IStreamCallbacks callbacks) => _callbacks.Add(callbacks);

    public void RemoveCallbacks(IStreamCallbacks callbacks) => _callbacks.RemoveReference(callbacks);

    public void SetFlushTimeout(TimeSpan timeout) => _flushTimeout = timeout;

    /// <summary>The first details given stay.</summary>
    public void SetDetails(string details)
    {
        if (ResponseDetails.Length == 0)
        {
            ResponseDetails = details;
        }
    }

    public void ReadDisable(bool disable)
    {
        _readDisables += disable ? 1 : -1;
        if (_readDisables == 0 && !Closed && (!Held.IsEmpty || _endHeld))
        {
            // In a turn of its own: the reader is in the middle of something when it asks for more.
            Connection.Loop.Defer(_deliverHeld ??= DeliverHeld);
        }
    }

    public void ResetStream(StreamResetReason reason)
    {
        TellReset(reason);
        if (Closed)
        {
            return;
        }
        if (Codec.IsServer && LocalEnd && !LocalEndSent && reason != StreamResetReason.OverloadManager)
        {
            // A whole answer is sent first, unless the peer never opens its window; a request given up is of no use.
            return;
        }
        Codec.Reset(this, CodeOf(reason));
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        if (Closed || LocalEnd)
        {
            data.Clear();
            return;
        }
        Unsent.MoveFrom(data);
        LocalEnd = endStream;
        Codec.Send(this);
    }

    public virtual void EncodeTrailers(HeaderMap trailers)
    {
        if (Closed || LocalEnd)
        {
            return;
        }
        if (Unsent.IsEmpty)
        {
            Codec.SendHeaders(this, trailers, true);
            return;
        }
        UnsentTrailers = HeaderMap.Rent();
        UnsentTrailers.CopyFrom(trailers);
        LocalEnd = true;
        Codec.Send(this);
    }

    /// <summary>Tells the callbacks of a reset, once.</summary>
    public void TellReset(StreamResetReason reason)
    {
        if (_resetTold)
        {
            return;
        }
        _resetTold = true;
        for (var i = _callbacks.Count - 1; i >= 0; i--)
        {
            if (i < _callbacks.Count)
            {
                _callbacks[i].OnResetStream(reason, "");
            }
        }
    }

    /// <summary>What waits grew or shrank: raises the watermarks and arms the flush time-out.</summary>
    public void OnUnsentChanged()
    {
        if (!_aboveHigh && Unsent.Length > BufferLimit)
        {
            _aboveHigh = true;
            OnAboveWatermark();
        }
        else if (_aboveHigh && Unsent.Length <= BufferLimit / 2)
        {
            _aboveHigh = false;
            OnBelowWatermark();
        }
        if (LocalEnd && !Unsent.IsEmpty && _flushTimeout > TimeSpan.Zero)
        {
            _flushTimer ??= Connection.Loop.CreateTimer(OnFlushTimeout);
            _flushTimer.Arm(_flushTimeout);
        }
        else
        {
            _flushTimer?.Disarm();
        }
    }

    public void OnAboveWatermark()
    {
        for (var i = 0; i < _callbacks.Count; i++)
        {
            _callbacks[i].OnAboveWriteBufferHighWatermark();
        }
    }

    public void OnBelowWatermark()
    {
        for (var i = 0; i < _callbacks.Count; i++)
        {
            _callbacks[i].OnBelowWriteBufferLowWatermark();
        }
    }

    public void TellEncodeComplete()
    {
        for (var i = _callbacks.Count - 1; i >= 0; i--)
        {
            if (i < _callbacks.Count)
            {
                _callbacks[i].OnCodecEncodeComplete();
            }
        }
    }

    /// <summary>Body bytes came; what the reader does not want yet is held.</summary>
    public void Receive(ByteBuffer data, bool endStream)
    {
        if (ReadIsDisabled || !Held.IsEmpty)
        {
            Held.MoveFrom(data);
            _endHeld = endStream;
            return;
        }
        var length = data.Length;
        DecodeData(data, endStream);
        data.Clear();
        Codec.Consume(this, length);
    }

    public void ReceiveTrailers(HeaderMap trailers)
    {
        if (ReadIsDisabled || !Held.IsEmpty)
        {
            _heldTrailers = trailers;
            _endHeld = true;
            return;
        }
        DecodeTrailers(trailers);
    }

    public abstract void DecodeHeaders(HeaderMap headers, bool endStream);

    protected abstract void DecodeData(ByteBuffer data, bool endStream);

    protected abstract void DecodeTrailers(HeaderMap trailers);

    protected void Begin(uint id, long sendWindow)
    {
        Id = id;
        SendWindow = sendWindow;
        ReceiveWindow = Codec.Settings.InitialStreamWindowSize;
        Consumed = 0;
        ExpectedBody = -1;
        SawHeaders = RemoteEnd = LocalEnd = LocalEndSent = Closed = Blocked = false;
        ResponseDetails = "";
        Bytes.Clear();
        _callbacks.Clear();
        _readDisables = 0;
        _resetTold = _aboveHigh = _endHeld = false;
        _flushTimeout = TimeSpan.Zero;
    }

    /// <summary>Gives a client's stream its number, when its first frame is written.</summary>
    public void Assign(uint id, long sendWindow)
    {
        Id = id;
        SendWindow = sendWindow;
    }

    /// <summary>Drops all that waits; the stream is closed.</summary>
    public void DropAll()
    {
        Unsent.Clear();
        Held.Clear();
        UnsentTrailers?.Return();
        UnsentTrailers = null;
        _heldTrailers?.Return();
        _heldTrailers = null;
        _flushTimer?.Disarm();
    }

    public Http2ErrorCode CodeOf(StreamResetReason reason) => reason switch
    {
        StreamResetReason.LocalRefusedStreamReset => Http2ErrorCode.RefusedStream,
        StreamResetReason.ConnectError => Http2ErrorCode.ConnectError,
        StreamResetReason.ProtocolError => Http2ErrorCode.ProtocolError,
        StreamResetReason.OverloadManager => Http2ErrorCode.Cancel,
        _ => Http2ErrorCode.InternalError,
    };

    private void DeliverHeld()
    {
        if (Closed || ReadIsDisabled || (Held.IsEmpty && !_endHeld))
        {
            return;
        }
        var length = Held.Length;
        var trailers = _heldTrailers;
        var endStream = _endHeld;
        _heldTrailers = null;
        _endHeld = false;
        if (length > 0 || trailers is null)
        {
            DecodeData(Held, endStream && trailers is null);
            Held.Clear();
            Codec.Consume(this, length);
        }
        if (trailers is not null)
        {
            ReceiveTrailers(trailers);
        }
        Codec.OnDelivered(this);
    }

    private void OnFlushTimeout()
    {
        Codec.Stats.Inc(Http2Stats.Stat.TxFlushTimeout);
        TellReset(StreamResetReason.LocalReset);
        if (!Closed)
        {
            Codec.Reset(this, Http2ErrorCode.InternalError);
        }
    }
}
