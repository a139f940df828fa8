namespace MeshProxy.Agent;

/// <summary>The proxy that an agent runs.</summary>
public interface IProxy : IDisposable
{
    /// <summary>Whether it serves: all it waited for has come.</summary>
    bool IsLive { get; }

    /// <summary>Connections open on its listeners.</summary>
    long OpenConnections { get; }

    /// <summary>Serves on the calling thread until <see cref="Shutdown"/>.</summary>
    void Run();

    /// <summary>Asks connections to end; new ones are still accepted, since peers learn late that we go.</summary>
    /// <param name="inboundOnly">Whether what the application calls goes on as before.</param>
    void Drain(bool inboundOnly);

    /// <summary>Ends <see cref="Run"/>.</summary>
    void Shutdown();
}
