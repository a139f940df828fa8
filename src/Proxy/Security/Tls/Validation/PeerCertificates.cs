using MeshProxy.Proxy.Security.Tls.Certificates;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>What the peer presented.</summary>
/// <param name="Leaf">X509 of the leaf.</param>
/// <param name="Sent">STACK_OF(X509) of everything sent.</param>
/// <param name="Facts">The leaf, read.</param>
/// <param name="PeerIsClient">Decides which extended key usage must be there.</param>
/// <param name="RequiredNames">Names asked for by this connection (auto_san_validation, filter state); empty if none.</param>
internal readonly record struct PeerCertificates(
    nint Leaf, nint Sent, CertificateFacts Facts, bool PeerIsClient, IReadOnlyList<string> RequiredNames);
