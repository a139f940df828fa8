namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// The newest context of one transport socket, replaced whole when a secret changes; null until all secrets are there.
/// Written on the main loop, read on all.
/// </summary>
internal sealed class TlsContextSource
{
    private volatile TlsContext? _current;

    public TlsContext? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>Its owner is gone; what is left lives only for connections still open.</summary>
    public bool Disposed { get; set; }
}
