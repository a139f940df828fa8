using System.Net;

namespace MeshProxy.ControlPlane;

/// <summary>How the control plane is run.</summary>
public sealed record ControlPlaneOptions
{
    /// <summary>The folder of resources.</summary>
    public required string Directory { get; init; }

    /// <summary>Where gRPC is served.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Where /healthz, /readyz and /metrics are served over HTTP/1.1, or null for nowhere but beside gRPC.</summary>
    public IPEndPoint? Monitoring { get; init; }

    /// <summary>The folder of the authority, or null for `.ca` in the folder of resources.</summary>
    public string? AuthorityDirectory { get; init; }

    /// <summary>Of the identities.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>How long certificates are valid; they are replaced at half of it.</summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A PEM certificate to serve TLS with, or null for none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Its key, or null when it is in the same file.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Authorities (PEM) of client certificates, which are demanded then; null demands none.</summary>
    public string? ClientAuthorityFile { get; init; }
}
