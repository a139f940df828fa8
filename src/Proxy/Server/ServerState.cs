namespace MeshProxy.Proxy.Server;

/// <summary>admin.v3.ServerInfo.State, as /ready and /server_info show it.</summary>
public enum ServerState
{
    Live,
    Draining,
    PreInitializing,
    Initializing,
}
