using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Explanation;

/// <summary>A connection of which only the facts exist: nothing is read from it or written to it.</summary>
internal sealed class ImaginedConnection(EventLoop loop, ConnectionInfo info, ITlsConnectionInfo? tls) : Connection
{
    public override ulong Id => 1;

    public override EventLoop Loop => loop;

    public override ConnectionState State => ConnectionState.Open;

    public override DetectedCloseType DetectedCloseType => default;

    public override ConnectionInfo Info => info;

    public override StreamInfo StreamInfo { get; } = new()
    {
        StartTime = DateTime.UtcNow,
        StartNanoseconds = EventLoop.NowNanoseconds,
        Downstream = info,
        DownstreamTls = tls,
    };

    public override ITlsConnectionInfo? Tls => tls;

    public override string NextProtocol => tls?.Alpn ?? "";

    public override string TransportFailureReason => "";

    public override string LocalCloseReason => "";

    public override bool HalfCloseEnabled { get; set; }

    public override bool DetectEarlyClose { get; set; }

    public override bool Connecting => false;

    public override uint BufferLimit { get; set; }

    public override bool AboveHighWatermark => false;

    public override long UnsentBytes => 0;

    public override TimeSpan DelayedCloseTimeout { get; set; }

    public override bool ReadEnabled => true;

    public override void ReadDisable(bool disable)
    {
    }

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

    public override void RefreshLocalAddress()
    {
    }

    public override void Connect()
    {
    }

    public override void Start()
    {
    }

    public override void SetConnectTimeout(TimeSpan timeout, Action onTimeout)
    {
    }

    public override void SetStats(ConnectionStats stats)
    {
    }

    public override void Write(ByteBuffer data, bool endStream) => data.Clear();

    public override void Close(ConnectionCloseType type, string reason = "")
    {
    }

    public override void NoDelay(bool enable)
    {
    }
}
