using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network;

/// <summary>Whether a filter chain goes on after a filter.</summary>
public enum FilterStatus
{
    Continue,
    StopIteration,
}

/// <summary>A network (L4) filter on received bytes (Envoy's Network::ReadFilter). One instance a connection.</summary>
public interface IReadFilter
{
    void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks);

    FilterStatus OnNewConnection();

    /// <summary>Called with all bytes not yet consumed; what the filter drains the next one does not see.</summary>
    FilterStatus OnData(ByteBuffer data, bool endStream);
}

/// <summary>A network filter on bytes to be sent.</summary>
public interface IWriteFilter
{
    void InitializeWriteFilterCallbacks(IWriteFilterCallbacks callbacks);

    FilterStatus OnWrite(ByteBuffer data, bool endStream);
}

public interface IReadFilterCallbacks
{
    Connection Connection { get; }

    StreamInfo StreamInfo { get; }

    /// <summary>Goes on with the next filter after this one returned StopIteration.</summary>
    void ContinueReading();

    void InjectReadDataToFilterChain(ByteBuffer data, bool endStream);

    /// <summary>The endpoint tcp_proxy chose; null before.</summary>
    Upstream.Host? UpstreamHost { get; set; }
}

public interface IWriteFilterCallbacks
{
    Connection Connection { get; }

    void InjectWriteDataToFilterChain(ByteBuffer data, bool endStream);

    /// <summary>
    /// Puts bytes before all that waits to be sent, past the other filters. Only until the connection is connected: nothing
    /// has left before that.
    /// </summary>
    void PrependToUnsent(ReadOnlySpan<byte> data);
}
