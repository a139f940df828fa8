using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>What a proxied TCP connection is sent over: a connection, or a stream of an HTTP tunnel.</summary>
internal interface ITcpUpstream
{
    /// <summary>Counted, as <see cref="Connection.ReadDisable"/>.</summary>
    void ReadDisable(bool disable);

    void Encode(ByteBuffer data, bool endStream);

    /// <summary>The client is gone; what is buffered may still be flushed. Returns the flush under way, or null when it ended at once.</summary>
    UpstreamDrain? OnDownstreamClosed(ConnectionEvent closed, DetectedCloseType type);
}

/// <summary>Opens the upstream of one TCP connection over a cluster; one attempt.</summary>
internal interface ITcpTunnel
{
    /// <summary>Null when no host can be chosen.</summary>
    IPoolCancellable? Open(ICluster cluster, TcpProxyFilter filter, out bool noHost);
}

/// <summary>Buffered bytes on their way to the upstream after the client has gone.</summary>
internal sealed class UpstreamDrain(Connection upstream, IDisposable owner, TcpProxyConfig config, LoopTimer? idle) : IConnectionCallbacks
{
    /// <summary>Lets the connection go on flushing on its own; counted as upstream_flush_active.</summary>
    public void Begin()
    {
        config.Stats.Inc(TcpProxyStat.UpstreamFlushTotal);
        config.Stats.Inc(TcpProxyStat.UpstreamFlushActive);
        upstream.AddCallbacks(this);
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            return;
        }
        config.Stats.Dec(TcpProxyStat.UpstreamFlushActive);
        idle?.Disarm();
        owner.Dispose();
    }

    public void OnIdleTimeout()
    {
        config.Stats.Inc(TcpProxyStat.IdleTimeout);
        upstream.Close(ConnectionCloseType.NoFlush);
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }
}
