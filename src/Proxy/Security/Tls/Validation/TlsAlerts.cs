namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Alerts of refused certificates (RFC 8446 6.2), and how OpenSSL is made to send them.</summary>
internal static class TlsAlerts
{
    public const byte BadCertificate = 42;
    public const byte UnsupportedCertificate = 43;
    public const byte CertificateRevoked = 44;
    public const byte CertificateExpired = 45;
    public const byte CertificateUnknown = 46;
    public const byte UnknownCa = 48;
    public const byte DecryptError = 51;
    public const byte InternalError = 80;
    public const byte BadCertificateHashValue = 114;

    // X509_V_ERR_ numbers (x509_vfy.h).
    private const int SignatureFailure = 7;
    private const int NotYetValid = 9;
    private const int HasExpired = 10;
    private const int UnableToGetIssuerLocally = 20;
    private const int Revoked = 23;
    private const int InvalidPurpose = 26;
    private const int Rejected = 28;

    /// <summary>The alert for a verification error, as BoringSSL and so Envoy choose it.</summary>
    public static byte ForVerifyError(int error) => error switch
    {
        HasExpired or NotYetValid => CertificateExpired,
        Revoked => CertificateRevoked,
        InvalidPurpose => UnsupportedCertificate,
        SignatureFailure => DecryptError,
        // Unable to get issuer, self-signed leaf, self-signed in chain, chain too long, invalid CA, path length.
        2 or 18 or 19 or 20 or 22 or 24 or 25 or 79 => UnknownCa,
        1 or 17 or 65 or 66 => InternalError,
        _ => CertificateUnknown,
    };

    /// <summary>
    /// A verification error for which OpenSSL sends <paramref name="alert"/>: it takes no alert from a callback, only an
    /// error, and maps it by a table of its own. Unmapped errors give certificate_unknown.
    /// </summary>
    public static int ToVerifyError(byte alert) => alert switch
    {
        BadCertificate => Rejected,
        UnsupportedCertificate => InvalidPurpose,
        CertificateRevoked => Revoked,
        CertificateExpired => HasExpired,
        UnknownCa => UnableToGetIssuerLocally,
        DecryptError => SignatureFailure,
        InternalError => 1,
        _ => int.MaxValue,
    };
}
