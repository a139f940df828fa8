using System.Net;
using System.Text;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Tests.Http.Codec;

/// <summary>A connection that keeps what is written to it; nothing moves by itself.</summary>
internal sealed class FakeConnection : Connection
{
    private static readonly IPEndPoint Nowhere = new(IPAddress.Loopback, 0);

    private readonly ByteBuffer _written = new();
    private ConnectionState _state;
    private int _readDisables;

    public string Written => Encoding.Latin1.GetString(_written.ToArray());

    public byte[] TakeWritten()
    {
        var bytes = _written.ToArray();
        _written.Clear();
        return bytes;
    }

    public bool SentEnd { get; private set; }

    public int ReadDisables => _readDisables;

    public override ulong Id => 1;

    public override EventLoop Loop => throw new NotSupportedException();

    public override ConnectionState State => _state;

    public override DetectedCloseType DetectedCloseType => DetectedCloseType.Normal;

    public override ConnectionInfo Info { get; } = new()
    {
        LocalAddress = Nowhere,
        DirectLocalAddress = Nowhere,
        RemoteAddress = Nowhere,
        DirectRemoteAddress = Nowhere,
    };

    public override StreamInfo StreamInfo => throw new NotSupportedException();

    public override ITlsConnectionInfo? Tls => null;

    public override string NextProtocol => "";

    public override string TransportFailureReason => "";

    public override string LocalCloseReason => "";

    public override bool HalfCloseEnabled { get; set; }

    public override uint BufferLimit { get; set; } = 1024 * 1024;

    public override bool AboveHighWatermark => false;

    public override long UnsentBytes => _written.Length;

    public override TimeSpan DelayedCloseTimeout { get; set; }

    public override bool ReadEnabled => _readDisables == 0;

    public override bool DetectEarlyClose { get; set; }

    public override bool Connecting => false;

    public override void ReadDisable(bool disable) => _readDisables += disable ? 1 : -1;

    public override void AddCallbacks(IConnectionCallbacks callbacks)
    {
    }

    public override void RemoveCallbacks(IConnectionCallbacks callbacks)
    {
    }

    public override void AddReadFilter(IReadFilter filter)
    {
    }

    public override void AddWriteFilter(IWriteFilter filter)
    {
    }

    public override bool InitializeReadFilters() => true;

    public override void Connect()
    {
    }

    public override void Start()
    {
    }

    public override void Write(ByteBuffer data, bool endStream)
    {
        _written.MoveFrom(data);
        SentEnd |= endStream;
    }

    public override void Close(ConnectionCloseType type, string reason = "") => _state = ConnectionState.Closed;

    public override void NoDelay(bool enable)
    {
    }

    public override void RefreshLocalAddress()
    {
    }

    public override void SetConnectTimeout(TimeSpan timeout, Action onTimeout)
    {
    }

    public override void SetStats(ConnectionStats stats)
    {
    }
}
