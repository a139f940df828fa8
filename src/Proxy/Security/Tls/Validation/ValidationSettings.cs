namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>A validation context, compiled.</summary>
internal sealed record ValidationSettings
{
    /// <summary>Null: chains are not verified.</summary>
    public TrustStore? Trust { get; init; }

    public IReadOnlyList<SubjectAltNameMatcher> Names { get; init; } = [];

    /// <summary>SHA-256 of the certificate.</summary>
    public IReadOnlyList<byte[]> CertificateHashes { get; init; } = [];

    /// <summary>SHA-256 of the public key.</summary>
    public IReadOnlyList<byte[]> PublicKeyHashes { get; init; } = [];

    public bool AcceptUntrusted { get; init; }

    public bool SuppressAuthorityNames { get; init; }
}
