namespace MeshProxy.Agent.Status;

/// <summary>A probe that the injector moved from an application's container to the agent.</summary>
internal sealed record ApplicationProbe
{
    public required ProbeKind Kind { get; init; }

    public required int Port { get; init; }

    /// <summary>Null asks the pod's address.</summary>
    public string? Host { get; init; }

    /// <summary>How long an answer may take; null is for ever over HTTP and TCP, and no time at all over gRPC, as for Istio.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>HTTP: the path with its query, from the root.</summary>
    public string Path { get; init; } = "/";

    /// <summary>HTTP: whether over TLS, which is not verified.</summary>
    public bool IsHttps { get; init; }

    /// <summary>HTTP: headers to send instead of those the probe came with.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>gRPC: the service whose health is asked for.</summary>
    public string Service { get; init; } = "";
}
