namespace MeshProxy.Agent.Status;

/// <summary>What the status server asks of the agent.</summary>
internal sealed record StatusActions
{
    /// <summary>Whether the proxy has its configuration.</summary>
    public required Func<bool> IsReady { get; init; }

    /// <summary>Ends the process without draining.</summary>
    public required Action Quit { get; init; }

    /// <summary>Begins to drain without ending.</summary>
    public required Action Drain { get; init; }

    /// <summary>The name table as JSON, or null when names are not captured.</summary>
    public required Func<string?> NameTable { get; init; }
}
