using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Where a listener stands.</summary>
public enum ListenerState
{
    Warming,
    Active,
    Draining,
}

/// <summary>One listener as the manager keeps it; main loop only.</summary>
public sealed class ListenerEntry
{
    public required CompiledListener Config { get; set; }

    /// <summary>version_info of the update that brought it; empty for static ones.</summary>
    public required string Version { get; set; }

    public required DateTime LastUpdated { get; set; }

    /// <summary>Came by LDS, and may be changed by it; static ones never are.</summary>
    public required bool AddedViaApi { get; init; }

    public ListenerState State { get; set; }

    /// <summary>The bound addresses, with real ports.</summary>
    public IReadOnlyList<System.Net.EndPoint> LocalAddresses { get; set; } = [];

    /// <summary>Sockets opened and not yet given to the workers, one list a worker.</summary>
    internal IReadOnlyList<ListenSocket>[]? Sockets { get; set; }
}
