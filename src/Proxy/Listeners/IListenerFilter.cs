using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Looks at a connection before its filter chain is chosen (Envoy's Network::ListenerFilter). One instance a connection.</summary>
public interface IListenerFilter
{
    FilterStatus OnAccept(IListenerFilterCallbacks callbacks);

    /// <summary>Called with the bytes peeked so far when the filter waits for data.</summary>
    FilterStatus OnData(ListenerFilterBuffer buffer);

    /// <summary>The client left during inspection.</summary>
    void OnClose();

    /// <summary>How many bytes the filter may look at; 0 when it needs none.</summary>
    int MaxReadBytes { get; }
}

public interface IListenerFilterCallbacks
{
    EventLoop Loop { get; }

    ConnectionInfo Info { get; }

    StreamInfo StreamInfo { get; }

    /// <summary>Descriptor of the accepted socket (SO_ORIGINAL_DST); -1 in memory.</summary>
    int FileDescriptor { get; }

    /// <summary>Goes on with the next listener filter, or ends the connection.</summary>
    void ContinueFilterChain(bool success);

    /// <summary>Makes the accepted connection use_original_dst even without address change.</summary>
    void UseOriginalDestination(bool value);
}

/// <summary>Bytes received before the filter chain is known; a filter may drain what it consumes (PROXY protocol), the rest goes to the chain.</summary>
public sealed class ListenerFilterBuffer(ByteBuffer bytes)
{
    public ByteBuffer Bytes { get; } = bytes;

    public ReadOnlySpan<byte> Peek() => Bytes.IsEmpty ? default : Bytes.Linearize((int)Bytes.Length);

    public void Drain(int count) => Bytes.Drain(count);
}
