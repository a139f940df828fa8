namespace MeshProxy.Proxy.Transport;

/// <summary>Readiness of a descriptor.</summary>
[Flags]
public enum IoEvents
{
    None = 0,
    Read = 1,
    Write = 2,

    /// <summary>The peer ended its side or the connection broke (EPOLLRDHUP, EPOLLHUP, EPOLLERR).</summary>
    Closed = 4,
}

/// <summary>Takes readiness events on the loop.</summary>
public interface IIoEventHandler
{
    void OnIoEvents(IoEvents events);

    /// <summary>An exception escaped <see cref="OnIoEvents"/>: close what is owned.</summary>
    void OnFault(Exception fault);
}
