using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>A plain upstream connection.</summary>
internal sealed class TcpUpstream(ITcpConnectionData data, TcpProxyFilter filter, TcpProxyConfig config) : ITcpUpstream
{
    public Connection Connection => data.Connection;

    public void ReadDisable(bool disable)
    {
        if (data.Connection.State == ConnectionState.Open)
        {
            filter.CountReadDisable(disable);
            data.Connection.ReadDisable(disable);
        }
    }

    public void Encode(ByteBuffer buffer, bool endStream) => data.Connection.Write(buffer, endStream);

    public UpstreamDrain? OnDownstreamClosed(ConnectionEvent closed, DetectedCloseType type)
    {
        var connection = data.Connection;
        if (closed == ConnectionEvent.LocalClose)
        {
            connection.Close(ConnectionCloseType.NoFlush);
            return null;
        }
        if (type == DetectedCloseType.RemoteReset)
        {
            connection.Close(ConnectionCloseType.AbortReset);
            return null;
        }
        connection.Close(ConnectionCloseType.FlushWrite);
        return connection.State == ConnectionState.Closed ? null : new UpstreamDrain(connection, data, config, null);
    }
}
