using System.Buffers.Binary;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Keepalive pings (connection_keepalive): a peer that does not answer in time loses the connection.</summary>
public abstract partial class Http2Connection
{
    private LoopTimer? _pingTimer;
    private LoopTimer? _pingTimeout;
    private ulong _ping;
    private bool _pingDue;
    private long _lastReceived;

    /// <summary>A stream begins: after a long silence the connection is tested along with it.</summary>
    private protected void OnActivity()
    {
        if (Settings.KeepaliveConnectionIdleInterval > TimeSpan.Zero && !_pingDue
            && Connection.Loop.Now - _lastReceived >= Settings.KeepaliveConnectionIdleInterval.TotalMilliseconds)
        {
            SendKeepalive();
        }
    }

    private void StartKeepalive()
    {
        if (Settings.KeepaliveConnectionIdleInterval > TimeSpan.Zero)
        {
            _lastReceived = Connection.Loop.Now;
        }
        if (Settings.KeepaliveInterval > TimeSpan.Zero)
        {
            _pingTimer = Connection.Loop.CreateTimer(SendKeepalive);
            ArmPing();
        }
    }

    private void NoteReceived()
    {
        if (Settings.KeepaliveConnectionIdleInterval > TimeSpan.Zero)
        {
            _lastReceived = Connection.Loop.Now;
        }
    }

    private void ArmPing()
    {
        var jitter = Settings.KeepaliveInterval * (Settings.KeepaliveIntervalJitterPercent / 100);
        _pingTimer!.Arm(Settings.KeepaliveInterval + (jitter * Random.Shared.NextDouble()));
    }

    private void SendKeepalive()
    {
        if (Connection.State != ConnectionState.Open)
        {
            return;
        }
        _ping++;
        _pingDue = true;
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(payload, _ping);
        QueuePing(payload, false);
        Flush();
        _pingTimeout ??= Connection.Loop.CreateTimer(OnPingTimeout);
        _pingTimeout.Arm(Settings.KeepaliveTimeout);
    }

    private void OnPingAcknowledged(ulong payload)
    {
        if (!_pingDue || payload != _ping)
        {
            return;
        }
        _pingDue = false;
        _pingTimeout!.Disarm();
        if (_pingTimer is not null)
        {
            ArmPing();
        }
    }

    private void OnPingTimeout()
    {
        if (Connection.State != ConnectionState.Open)
        {
            return;
        }
        Stats.Inc(Http2Stats.Stat.KeepaliveTimeout);
        Connection.Close(ConnectionCloseType.NoFlush, "http2_ping_timeout");
    }
}
