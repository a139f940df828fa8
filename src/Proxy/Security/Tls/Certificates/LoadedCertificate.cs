namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>A certificate of the configuration and where it came from: a path, or `&lt;inline&gt;`.</summary>
internal sealed record LoadedCertificate(CertificateFacts Facts, string Path, byte[] SubjectName);
