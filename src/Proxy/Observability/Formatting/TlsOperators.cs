using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Operators on the TLS sessions of both sides.</summary>
internal static class TlsOperators
{
    private delegate ITlsConnectionInfo? SessionGetter(in LogContext context);

    public static void AddTo(Dictionary<string, Command> table)
    {
        AddSide(table, "DOWNSTREAM", static (in LogContext context) => context.StreamInfo.DownstreamTls);
        AddSide(table, "UPSTREAM", static (in LogContext context) => context.StreamInfo.Upstream?.Tls);
    }

    private static void AddSide(Dictionary<string, Command> table, string side, SessionGetter session)
    {
        Add(table, side, "PEER_URI_SAN", session, static tls => Joined(tls.UriSansPeerCertificate));
        Add(table, side, "PEER_DNS_SAN", session, static tls => Joined(tls.DnsSansPeerCertificate));
        Add(table, side, "PEER_IP_SAN", session, static tls => Joined(tls.IpSansPeerCertificate));
        Add(table, side, "PEER_EMAIL_SAN", session, static tls => Joined(tls.EmailSansPeerCertificate));
        Add(table, side, "PEER_OTHERNAME_SAN", session, static tls => Joined(tls.OtherNameSansPeerCertificate));
        Add(table, side, "LOCAL_URI_SAN", session, static tls => Joined(tls.UriSansLocalCertificate));
        Add(table, side, "LOCAL_DNS_SAN", session, static tls => Joined(tls.DnsSansLocalCertificate));
        Add(table, side, "LOCAL_IP_SAN", session, static tls => Joined(tls.IpSansLocalCertificate));
        Add(table, side, "LOCAL_EMAIL_SAN", session, static tls => Joined(tls.EmailSansLocalCertificate));
        Add(table, side, "LOCAL_OTHERNAME_SAN", session, static tls => Joined(tls.OtherNameSansLocalCertificate));
        Add(table, side, "PEER_SUBJECT", session, static tls => tls.SubjectPeerCertificate);
        Add(table, side, "LOCAL_SUBJECT", session, static tls => tls.SubjectLocalCertificate);
        Add(table, side, "PEER_ISSUER", session, static tls => tls.IssuerPeerCertificate);
        Add(table, side, "PEER_FINGERPRINT_256", session, static tls => tls.Sha256PeerCertificateDigest);
        Add(table, side, "PEER_FINGERPRINT_1", session, static tls => tls.Sha1PeerCertificateDigest);
        Add(table, side, "PEER_SERIAL", session, static tls => tls.SerialNumberPeerCertificate);
        Add(table, side, "PEER_CHAIN_FINGERPRINTS_256", session, static tls => Joined(tls.Sha256PeerCertificateChainDigests));
        Add(table, side, "PEER_CHAIN_FINGERPRINTS_1", session, static tls => Joined(tls.Sha1PeerCertificateChainDigests));
        Add(table, side, "PEER_CHAIN_SERIALS", session, static tls => Joined(tls.SerialNumbersPeerCertificateChain));
        Add(table, side, "PEER_CERT", session, static tls => tls.UrlEncodedPemPeerCertificate);
        Add(table, side, "TLS_VERSION", session, static tls => tls.TlsVersion);
        Add(table, side, "TLS_CIPHER", session, static tls => tls.CipherSuite);
        Add(table, side, "TLS_SESSION_ID", session, static tls => tls.SessionId);
        OperatorTable.Time(table, $"{side}_PEER_CERT_V_START",
            (in LogContext context) => session(context)?.ValidFromPeerCertificate?.UtcDateTime);
        OperatorTable.Time(table, $"{side}_PEER_CERT_V_END",
            (in LogContext context) => session(context)?.ExpirationPeerCertificate?.UtcDateTime);
    }

    private static void Add(
        Dictionary<string, Command> table, string side, string name, SessionGetter session, Func<ITlsConnectionInfo, string?> get) =>
        OperatorTable.Text(table, $"{side}_{name}", (in LogContext context) =>
            session(context) is { } tls ? OperatorTable.NotEmpty(get(tls)) : null);

    private static string Joined(IReadOnlyList<string> names) => names.Count == 1 ? names[0] : string.Join(',', names);
}
