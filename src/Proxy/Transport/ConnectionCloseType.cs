namespace MeshProxy.Proxy.Transport;

/// <summary>How a connection is to be closed.</summary>
public enum ConnectionCloseType
{
    /// <summary>At once, pending writes are lost.</summary>
    NoFlush,

    /// <summary>After pending writes went out.</summary>
    FlushWrite,

    /// <summary>As <see cref="FlushWrite"/>, then wait for the peer's close or the delayed-close timeout, so that the peer reads all before a reset.</summary>
    FlushWriteAndDelay,

    /// <summary>At once with a TCP RST (SO_LINGER 0).</summary>
    AbortReset,
}
