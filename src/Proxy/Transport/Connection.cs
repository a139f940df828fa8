using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// A stream connection on one event loop: a socket, or the in-memory twin (internal listeners, tests). All members are for
/// that loop only. Read data passes the read filters in order, written data the write filters in reverse order, as in Envoy.
/// </summary>
public abstract class Connection
{
    /// <summary>Unique in the process; 64 bits, never reused.</summary>
    public abstract ulong Id { get; }

    public abstract EventLoop Loop { get; }

    public abstract ConnectionState State { get; }

    /// <summary>Set before <see cref="ConnectionEvent.RemoteClose"/> or <see cref="ConnectionEvent.LocalClose"/> is raised.</summary>
    public abstract DetectedCloseType DetectedCloseType { get; }

    public abstract ConnectionInfo Info { get; }

    public abstract StreamInfo StreamInfo { get; }

    /// <summary>Facts of the TLS session; null on plaintext.</summary>
    public abstract ITlsConnectionInfo? Tls { get; }

    /// <summary>The negotiated ALPN protocol; empty when there is none.</summary>
    public abstract string NextProtocol { get; }

    /// <summary>Why the transport (connect, TLS) failed, in Envoy's words; empty if it did not. `%..._TRANSPORT_FAILURE_REASON%`.</summary>
    public abstract string TransportFailureReason { get; }

    /// <summary>Local close details, e.g. the filter's reason; `%CONNECTION_TERMINATION_DETAILS%` for downstream. Empty if none.</summary>
    public abstract string LocalCloseReason { get; }

    /// <summary>Both directions end on their own; without it the peer's FIN closes the connection. Default off.</summary>
    public abstract bool HalfCloseEnabled { get; set; }

    /// <summary>While reading is disabled, the peer's end closes the connection at once (not with half-close). Default on; codec clients switch it off.</summary>
    public abstract bool DetectEarlyClose { get; set; }

    /// <summary>A client connection whose TCP connect is under way.</summary>
    public abstract bool Connecting { get; }

    /// <summary>Bytes that left for the kernel, after each write; one listener (stream flush timeouts, upstream byte counts).</summary>
    public Action<long>? BytesSent { get; set; }

    /// <summary>
    /// After the peer closed: bytes written here that its kernel had not acknowledged. A request that lies wholly among them
    /// was never seen by the peer, which had closed before.
    /// </summary>
    public long UndeliveredAtClose { get; protected set; }

    /// <summary>High watermark of the write buffer in bytes (and bound of the read buffer); 0 is no limit. Envoy: per_connection_buffer_limit_bytes, 1 MiB.</summary>
    public abstract uint BufferLimit { get; set; }

    public abstract bool AboveHighWatermark { get; }

    /// <summary>Bytes taken by <see cref="Write"/> that the kernel has not taken yet.</summary>
    public abstract long UnsentBytes { get; }

    /// <summary>How long a <see cref="ConnectionCloseType.FlushWriteAndDelay"/> close waits for the peer. Envoy: delayed_close_timeout, 1 s.</summary>
    public abstract TimeSpan DelayedCloseTimeout { get; set; }

    public abstract bool ReadEnabled { get; }

    /// <summary>Counted: as many enables as disables are needed to read again. While disabled the kernel's buffer pushes back on the peer.</summary>
    public abstract void ReadDisable(bool disable);

    public abstract void AddCallbacks(IConnectionCallbacks callbacks);

    public abstract void RemoveCallbacks(IConnectionCallbacks callbacks);

    public abstract void AddReadFilter(IReadFilter filter);

    public abstract void AddWriteFilter(IWriteFilter filter);

    /// <summary>Calls OnNewConnection of the read filters; false when there are none or one closed the connection.</summary>
    public abstract bool InitializeReadFilters();

    /// <summary>The local address the kernel chose, once connected; updates <see cref="ConnectionInfo.LocalAddress"/>.</summary>
    public abstract void RefreshLocalAddress();

    /// <summary>Starts the connect of a client connection. Not for accepted ones.</summary>
    public abstract void Connect();

    /// <summary>Begins to receive on an accepted connection, after its filters are in place.</summary>
    public abstract void Start();

    /// <summary>Runs <paramref name="onTimeout"/> unless Connected is raised in time; covers TCP and TLS (connect_timeout, transport_socket_connect_timeout).</summary>
    public abstract void SetConnectTimeout(TimeSpan timeout, Action onTimeout);

    /// <summary>Where bytes are counted from now on.</summary>
    public abstract void SetStats(ConnectionStats stats);

    /// <summary>Takes all of <paramref name="data"/> (it is empty afterwards); written to the kernel at the end of the loop turn or when big. <paramref name="endStream"/> sends FIN after it (half-close).</summary>
    public abstract void Write(ByteBuffer data, bool endStream);

    /// <summary>Closes; <see cref="IConnectionCallbacks.OnEvent"/> with LocalClose is raised synchronously unless bytes wait to be flushed.</summary>
    public abstract void Close(ConnectionCloseType type, string reason = "");

    /// <summary>TCP_NODELAY; on by default for every connection.</summary>
    public abstract void NoDelay(bool enable);
}
