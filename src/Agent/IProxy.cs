namespace MeshProxy.Agent;

/// <summary>The proxy that an agent runs.</summary>
public interface IProxy : IDisposable
{
    /// <summary>Whether it serves: all it waited for has come.</summary>
    bool IsLive { get; }

    /// <summary>
    /// How many connections are open on listeners that came from the control plane: those of probes and scrapers to the
    /// proxy's own ports do not hold its end up.
    /// </summary>
    Task<long> OpenConnectionsAsync();

    /// <summary>Serves on the calling thread until <see cref="Shutdown"/>.</summary>
    void Run();

    /// <summary>Asks connections to end; new ones are still accepted, since peers learn late that we go.</summary>
    /// <param name="inboundOnly">Whether what the application calls goes on as before.</param>
    void Drain(bool inboundOnly);

    /// <summary>Ends <see cref="Run"/>.</summary>
    void Shutdown();
}
