namespace MeshProxy.Proxy.Transport;

/// <summary>Tells a reset from an orderly end, once a connection is closed.</summary>
public enum DetectedCloseType
{
    Normal,
    LocalReset,
    RemoteReset,
}
