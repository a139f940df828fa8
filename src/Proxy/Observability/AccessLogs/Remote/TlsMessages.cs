using Envoy.Data.Accesslog.V3;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>TLS sessions as data.accesslog.v3.TLSProperties.</summary>
internal static class TlsMessages
{
    public static TLSProperties Of(ITlsConnectionInfo tls, ConnectionInfo connection)
    {
        var message = TLSProperties.New();
        message.TlsVersion = Version(tls.TlsVersion);
        message.TlsCipherSuite = tls.CipherSuiteId;
        message.TlsSniHostname = connection.RequestedServerName;
        message.TlsSessionId = tls.SessionId;
        message.Ja3Fingerprint = connection.Ja3Hash;
        message.LocalCertificateProperties = Certificate(tls.UriSansLocalCertificate, tls.SubjectLocalCertificate);
        var peer = Certificate(tls.UriSansPeerCertificate, tls.SubjectPeerCertificate);
        peer.Issuer = tls.IssuerPeerCertificate;
        message.PeerCertificateProperties = peer;
        return message;
    }

    // Envoy tells identities that are URIs only.
    private static TLSProperties.CertificateProperties Certificate(IReadOnlyList<string> uris, string subject)
    {
        var message = TLSProperties.CertificateProperties.New();
        foreach (var uri in uris)
        {
            var san = TLSProperties.CertificateProperties.SubjectAltName.New();
            san.Uri = uri;
            message.SubjectAltNameValue.Add(san);
        }
        message.Subject = subject;
        return message;
    }

    private static TLSProperties.TLSVersion Version(string name) => name switch
    {
        "TLSv1" => TLSProperties.TLSVersion.Tlsv1,
        "TLSv1.1" => TLSProperties.TLSVersion.Tlsv11,
        "TLSv1.2" => TLSProperties.TLSVersion.Tlsv12,
        "TLSv1.3" => TLSProperties.TLSVersion.Tlsv13,
        _ => TLSProperties.TLSVersion.VersionUnspecified,
    };
}
