using System.Runtime.InteropServices;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// The connection state machine over an <see cref="IIoHandle"/> and an <see cref="ITransportSocket"/>: connecting, open,
/// half-closed, closing (flush, then wait for the peer), closed. Writes are gathered and go out once a loop turn. Behaviour
/// follows Envoy's ConnectionImpl, on which the recorded cases were made.
/// </summary>
public sealed class StreamConnection : Connection, IIoEventHandler, ITransportSocketCallbacks
{
    private static long s_nextId;

    private readonly IIoHandle _io;
    private readonly ITransportSocket _transport;
    private readonly ByteBuffer _readBuffer = new();
    private readonly ByteBuffer _writeBuffer = new();
    private readonly FilterManager _filters;
    private IConnectionCallbacks[] _callbacks = [];
    private ConnectionStats? _stats;
    private LoopTimer? _delayedCloseTimer;
    private LoopTimer? _connectTimer;
    private int _readDisableCount;
    private long _lastReadBuffered;
    private long _lastWriteBuffered;
    private bool _connecting;
    private bool _peerEnded;
    private bool _readable;
    private bool _dispatchBuffered;
    private bool _endStreamRead;
    private bool _endStreamDelivered;
    private bool _writeEndStream;
    private bool _endStreamWritten;
    private bool _attached;
    private DelayedClose _delayedClose;
    private bool _closed;
    private bool _aboveHighWatermark;
    private uint _bufferLimit = 1024 * 1024;
    private DetectedCloseType _detectedCloseType;
    private string _localCloseReason = "";
    private string _failureReason = "";

    private enum DelayedClose
    {
        None,
        AfterFlush,
        AfterFlushAndWait,
    }

    private StreamConnection(
        EventLoop loop, IIoHandle io, ITransportSocket transport, ConnectionInfo info, StreamInfo streamInfo, bool connected)
    {
        Loop = loop;
        _io = io;
        _transport = transport;
        Info = info;
        StreamInfo = streamInfo;
        _connecting = !connected;
        Id = info.ConnectionId;
        _filters = new FilterManager(this);
        transport.SetCallbacks(this);
    }

    public static ulong NextId() => (ulong)Interlocked.Increment(ref s_nextId);

    /// <summary>An accepted connection; filters are added by the caller, then <see cref="Start"/> begins reading.</summary>
    public static StreamConnection CreateServer(
        EventLoop loop, IIoHandle io, ITransportSocket transport, ConnectionInfo info, StreamInfo streamInfo) =>
        new(loop, io, transport, info, streamInfo, connected: true);

    /// <summary>A connection to an endpoint; begins with <see cref="Connect"/>.</summary>
    public static StreamConnection CreateClient(
        EventLoop loop, IIoHandle io, ITransportSocket transport, ConnectionInfo info, StreamInfo streamInfo) =>
        new(loop, io, transport, info, streamInfo, connected: false);

    public override ulong Id { get; }

    public override EventLoop Loop { get; }

    public override ConnectionInfo Info { get; }

    public override StreamInfo StreamInfo { get; }

    public override ConnectionState State => _closed ? ConnectionState.Closed
        : _delayedClose != DelayedClose.None ? ConnectionState.Closing : ConnectionState.Open;

    public override DetectedCloseType DetectedCloseType => _detectedCloseType;

    public override ITlsConnectionInfo? Tls => _transport.Tls;

    public override string NextProtocol => _transport.NextProtocol;

    public override string TransportFailureReason =>
        _failureReason.Length > 0 ? _failureReason : _transport.FailureReason;

    public override string LocalCloseReason => _localCloseReason;

    public override bool HalfCloseEnabled { get; set; }

    public override bool DetectEarlyClose { get; set; } = true;

    public override uint BufferLimit
    {
        get => _bufferLimit;
        set
        {
            _bufferLimit = value;
            UpdateWatermark();
        }
    }

    public override long UnsentBytes => _writeBuffer.Length;

    public override bool AboveHighWatermark => _aboveHighWatermark;

    public override TimeSpan DelayedCloseTimeout { get; set; }

    public override bool ReadEnabled => _readDisableCount == 0;

    public override bool Connecting => _connecting;

    Connection ITransportSocketCallbacks.Connection => this;

    IIoHandle ITransportSocketCallbacks.Io => _io;

    bool ITransportSocketCallbacks.ShouldDrainReadBuffer => _bufferLimit > 0 && _readBuffer.Length >= _bufferLimit;

    /// <summary>Begins to receive events on an accepted connection.</summary>
    public override void Start()
    {
        if (_closed || _attached)
        {
            return;
        }
        Attach();
        _transport.OnConnected();
    }

    public override void Connect()
    {
        var error = _io.Connect();
        if (error is 0 or Constants.EInProgress)
        {
            Attach();
            if (error == 0 && _io.FileDescriptor < 0)
            {
                _io.Activate(IoEvents.Write);
            }
            return;
        }
        _failureReason = $"immediate connect error: {ErrorText(error)}";
        // The owner hears of it in the next step of the loop, never inside its own call.
        Loop.Defer(() => CloseSocket(ConnectionEvent.RemoteClose));
    }

    public override void SetConnectTimeout(TimeSpan timeout, Action onTimeout)
    {
        _connectTimer = Loop.CreateTimer(onTimeout);
        _connectTimer.Arm(timeout);
    }

    public override void AddCallbacks(IConnectionCallbacks callbacks) => _callbacks = [.. _callbacks, callbacks];

    public override void RemoveCallbacks(IConnectionCallbacks callbacks) =>
        _callbacks = Array.FindAll(_callbacks, c => !ReferenceEquals(c, callbacks));

    public override void AddReadFilter(IReadFilter filter) => _filters.Add(filter);

    public override void AddWriteFilter(IWriteFilter filter) => _filters.Add(filter);

    public override bool InitializeReadFilters() => _filters.Initialize();

    public override void SetStats(ConnectionStats stats) => _stats = stats;

    public override void ReadDisable(bool disable)
    {
        if (_closed)
        {
            return;
        }
        if (disable)
        {
            _readDisableCount++;
            return;
        }
        if (--_readDisableCount == 0 && (!_readBuffer.IsEmpty || _readable || (_endStreamRead && !_endStreamDelivered)))
        {
            _dispatchBuffered = true;
            _io.Activate(IoEvents.Read);
        }
    }

    public override void Write(ByteBuffer data, bool endStream)
    {
        if (_closed || _delayedClose != DelayedClose.None || _writeEndStream)
        {
            data.Clear();
            return;
        }
        if (!_filters.OnWrite(data, endStream) || _closed)
        {
            return;
        }
        WriteRaw(data, endStream);
    }

    /// <summary>Queues bytes below the write filters.</summary>
    internal void WriteRaw(ByteBuffer data, bool endStream)
    {
        if (data.IsEmpty && !endStream)
        {
            return;
        }
        _writeEndStream = endStream;
        _writeBuffer.MoveFrom(data);
        UpdateWatermark();
        if (!_connecting)
        {
            _io.Activate(IoEvents.Write);
        }
    }

    /// <summary>Queues bytes before all others, below the write filters.</summary>
    internal void PrependRaw(ReadOnlySpan<byte> data)
    {
        _writeBuffer.Prepend(data);
        UpdateWatermark();
    }

    public override void Close(ConnectionCloseType type, string reason = "")
    {
        if (_closed)
        {
            return;
        }
        if (reason.Length > 0)
        {
            _localCloseReason = reason;
        }
        if (type == ConnectionCloseType.AbortReset)
        {
            _detectedCloseType = DetectedCloseType.LocalReset;
        }
        if (_delayedClose != DelayedClose.None)
        {
            if (type is ConnectionCloseType.NoFlush or ConnectionCloseType.AbortReset)
            {
                CloseSocket(ConnectionEvent.LocalClose);
            }
            return;
        }
        if (_writeBuffer.IsEmpty || type is ConnectionCloseType.NoFlush or ConnectionCloseType.AbortReset
            || !_transport.CanFlushClose || _connecting)
        {
            CloseWithoutPending(type);
            return;
        }
        _delayedClose = type == ConnectionCloseType.FlushWriteAndDelay ? DelayedClose.AfterFlushAndWait : DelayedClose.AfterFlush;
        ArmDelayedClose();
        _io.Activate(IoEvents.Write);
    }

    public override void RefreshLocalAddress()
    {
        if (_io.FileDescriptor >= 0)
        {
            Info.LocalAddress = SocketQueries.LocalAddress(_io.FileDescriptor);
        }
    }

    public override void NoDelay(bool enable) => _io.SetNoDelay(enable);

    void ITransportSocketCallbacks.SetTransportSocketIsReadable()
    {
        _readable = true;
        if (_readDisableCount == 0)
        {
            _io.Activate(IoEvents.Read);
        }
    }

    void ITransportSocketCallbacks.RaiseEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            _connectTimer?.Disarm();
            if (!_writeBuffer.IsEmpty)
            {
                _io.Activate(IoEvents.Write);
            }
        }
        Raise(connectionEvent);
    }

    void ITransportSocketCallbacks.FlushWriteBuffer()
    {
        if (!_closed)
        {
            OnWritable();
        }
    }

    void IIoEventHandler.OnFault(Exception fault)
    {
        if (!_closed)
        {
            _localCloseReason = "internal_error";
            CloseSocket(ConnectionEvent.LocalClose);
        }
    }

    void IIoEventHandler.OnIoEvents(IoEvents events)
    {
        if ((events & IoEvents.Closed) != 0)
        {
            _peerEnded = true;
            if (ClosedWhileNotReading())
            {
                return;
            }
        }
        if ((events & IoEvents.Write) != 0)
        {
            OnWritable();
        }
        if (!_closed && (events & IoEvents.Read) != 0)
        {
            _readable = true;
            OnReadable();
        }
    }

    // Nobody reads, so nobody would see the peer's end: without half-close it ends the connection now (Envoy's early close).
    private bool ClosedWhileNotReading()
    {
        if (_connecting || _readDisableCount == 0 || HalfCloseEnabled || !DetectEarlyClose || _closed)
        {
            return false;
        }
        if (_io.TakeError() == Constants.EConnectionReset)
        {
            _detectedCloseType = DetectedCloseType.RemoteReset;
        }
        CloseSocket(ConnectionEvent.RemoteClose);
        return true;
    }

    private void OnReadable()
    {
        if (_connecting || _readDisableCount != 0)
        {
            return;
        }
        var dispatch = _dispatchBuffered;
        _dispatchBuffered = false;
        var result = _endStreamRead ? default : ReadTransport();
        if (_closed)
        {
            return;
        }
        var close = result.Close;
        var endStream = result.EndStreamRead;
        if (endStream && !HalfCloseEnabled)
        {
            endStream = false;
            close = true;
        }
        if (result.Reset)
        {
            _detectedCloseType = DetectedCloseType.RemoteReset;
        }
        _endStreamRead |= endStream;
        CountRead(result.BytesProcessed);
        if (result.BytesProcessed != 0 || endStream || (dispatch && (!_readBuffer.IsEmpty || _endStreamRead)))
        {
            DeliverRead();
        }
        if (!_closed && (close || BothSidesEnded))
        {
            CloseSocket(ConnectionEvent.RemoteClose);
        }
    }

    private IoResult ReadTransport()
    {
        _readable = false;
        var result = _transport.DoRead(_readBuffer);
        // With the peer's end already signalled a short read proves nothing: read on until it is seen (epoll(7), EPOLLRDHUP).
        while (result.MoreMayFollow && _peerEnded && !_closed && !ShouldYield)
        {
            var next = _transport.DoRead(_readBuffer);
            result = next with { BytesProcessed = result.BytesProcessed + next.BytesProcessed };
        }
        return result;
    }

    private bool ShouldYield => ((ITransportSocketCallbacks)this).ShouldDrainReadBuffer;

    private void DeliverRead()
    {
        if (_delayedClose != DelayedClose.None)
        {
            _readBuffer.Clear();
            return;
        }
        if (_readBuffer.IsEmpty && !_endStreamRead)
        {
            return;
        }
        if (_endStreamRead)
        {
            if (_endStreamDelivered && _readBuffer.IsEmpty)
            {
                return;
            }
            _endStreamDelivered = true;
        }
        _filters.OnRead(_readBuffer, _endStreamRead);
        CountRead(0);
    }

    private void OnWritable()
    {
        if (_closed)
        {
            return;
        }
        if (_connecting && !FinishConnect())
        {
            return;
        }
        if (_writeBuffer.IsEmpty && !_writeEndStream && _delayedClose == DelayedClose.None && _transport.CanFlushClose)
        {
            return;
        }
        var result = _transport.DoWrite(_writeBuffer, _writeEndStream);
        if (_closed)
        {
            return;
        }
        CountWritten(result.BytesProcessed);
        UpdateWatermark();
        if (_closed)
        {
            return;
        }
        if (result.Close)
        {
            if (result.Reset)
            {
                _detectedCloseType = DetectedCloseType.RemoteReset;
            }
            CloseSocket(ConnectionEvent.RemoteClose);
            return;
        }
        if (_writeBuffer.IsEmpty && _writeEndStream && _transport.CanFlushClose)
        {
            _endStreamWritten = true;
        }
        AfterWrite(result.BytesProcessed);
    }

    private void AfterWrite(long bytes)
    {
        if ((_delayedClose != DelayedClose.None && _writeBuffer.IsEmpty) || BothSidesEnded)
        {
            if (_delayedClose == DelayedClose.AfterFlushAndWait)
            {
                ArmDelayedClose();
                return;
            }
            CloseSocket(ConnectionEvent.LocalClose);
            return;
        }
        if (bytes > 0)
        {
            if (_delayedCloseTimer is { IsArmed: true })
            {
                ArmDelayedClose();
            }
            BytesSent?.Invoke(bytes);
        }
    }

    private bool FinishConnect()
    {
        var error = _io.TakeError();
        if (error != 0)
        {
            _failureReason = $"delayed connect error: {ErrorText(error)}";
            CloseSocket(ConnectionEvent.RemoteClose);
            return false;
        }
        _connecting = false;
        RefreshLocalAddress();
        _transport.OnConnected();
        return !_closed;
    }

    private bool BothSidesEnded => _endStreamRead && _endStreamWritten && _writeBuffer.IsEmpty;

    private void CloseWithoutPending(ConnectionCloseType type)
    {
        if (type == ConnectionCloseType.NoFlush && !_writeBuffer.IsEmpty && !_connecting && _attached)
        {
            // One try without waiting, so that a response already queued is not lost for want of a loop turn.
            _transport.DoWrite(_writeBuffer, true);
        }
        if (type == ConnectionCloseType.FlushWriteAndDelay && DelayedCloseTimeout > TimeSpan.Zero && !_connecting)
        {
            _delayedClose = DelayedClose.AfterFlushAndWait;
            ArmDelayedClose();
            return;
        }
        CloseSocket(ConnectionEvent.LocalClose);
    }

    private void ArmDelayedClose()
    {
        if (DelayedCloseTimeout <= TimeSpan.Zero)
        {
            if (_delayedClose == DelayedClose.AfterFlushAndWait && _writeBuffer.IsEmpty)
            {
                CloseSocket(ConnectionEvent.LocalClose);
            }
            return;
        }
        _delayedCloseTimer ??= Loop.CreateTimer(OnDelayedCloseTimeout);
        _delayedCloseTimer.Arm(DelayedCloseTimeout);
    }

    private void OnDelayedCloseTimeout()
    {
        if (_stats is { DelayedCloseTimeouts: >= 0 } stats)
        {
            stats.Block.Inc(stats.DelayedCloseTimeouts);
        }
        CloseSocket(ConnectionEvent.LocalClose);
    }

    private void CloseSocket(ConnectionEvent reason)
    {
        if (_closed)
        {
            return;
        }
        _delayedCloseTimer?.Disarm();
        _connectTimer?.Disarm();
        _transport.CloseSocket(reason);
        _closed = true;
        _delayedClose = DelayedClose.None;
        if (reason == ConnectionEvent.RemoteClose && !_connecting)
        {
            UndeliveredAtClose = _writeBuffer.Length + _io.Unacknowledged();
        }
        _io.Close(_detectedCloseType == DetectedCloseType.LocalReset);
        if (_stats is not null)
        {
            ChangeGauge(_stats.ReadBuffered, -_lastReadBuffered);
            ChangeGauge(_stats.WriteBuffered, -_lastWriteBuffered);
        }
        _writeBuffer.Clear();
        _readBuffer.Clear();
        Raise(reason);
    }

    private void Raise(ConnectionEvent connectionEvent)
    {
        foreach (var callbacks in _callbacks)
        {
            callbacks.OnEvent(connectionEvent);
        }
    }

    private void Attach()
    {
        _attached = true;
        _io.Attach(Loop, this);
    }

    private void UpdateWatermark()
    {
        if (!_aboveHighWatermark && _bufferLimit > 0 && _writeBuffer.Length > _bufferLimit)
        {
            _aboveHighWatermark = true;
            foreach (var callbacks in _callbacks)
            {
                callbacks.OnAboveWriteBufferHighWatermark();
            }
        }
        else if (_aboveHighWatermark && _writeBuffer.Length <= _bufferLimit / 2)
        {
            _aboveHighWatermark = false;
            foreach (var callbacks in _callbacks)
            {
                callbacks.OnBelowWriteBufferLowWatermark();
            }
        }
    }

    private void CountRead(long bytes)
    {
        if (_stats is null)
        {
            return;
        }
        if (bytes > 0)
        {
            _stats.Block.Add(_stats.ReadTotal, bytes);
        }
        ChangeGauge(_stats.ReadBuffered, _readBuffer.Length - _lastReadBuffered);
        _lastReadBuffered = _readBuffer.Length;
    }

    private void CountWritten(long bytes)
    {
        if (_stats is null)
        {
            return;
        }
        if (bytes > 0)
        {
            _stats.Block.Add(_stats.WriteTotal, bytes);
        }
        ChangeGauge(_stats.WriteBuffered, _writeBuffer.Length - _lastWriteBuffered);
        _lastWriteBuffered = _writeBuffer.Length;
    }

    private void ChangeGauge(int index, long change)
    {
        if (change != 0)
        {
            _stats!.Block.Add(index, change);
        }
    }

    private static string ErrorText(int error) => Marshal.GetPInvokeErrorMessage(error);
}
