using System.Text;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// OpenSSL's error queue in the words of Envoy, which are BoringSSL's: logs, alerts and runbooks look for those. Alerts have
/// the same numbers in both libraries (1000 + alert); the other reasons are translated one by one.
/// </summary>
internal static class TlsErrors
{
    private const int SslLibrary = 20;
    private const int SystemLibrary = 2;
    private const ulong BoringSslLibrary = 16UL << 24;
    private const int LibraryShift = 23;
    private const int ReasonMask = 0x7fffff;
    private const ulong SystemFlag = 0x80000000;

    private const int CertificateVerifyFailed = 134;
    private const int PeerDidNotReturnACertificate = 199;
    private const int WrongVersionNumber = 267;

    // OpenSSL's reason (sslerr.h), BoringSSL's number and name (ssl.h).
    private static readonly Dictionary<int, (int Number, string Name)> Reasons = new()
    {
        [101] = (266, "NO_SHARED_GROUP"),
        [103] = (103, "BAD_CHANGE_CIPHER_SPEC"),
        [115] = (112, "BAD_PACKET_LENGTH"),
        [118] = (253, "NO_COMMON_SIGNATURE_ALGORITHMS"),
        [123] = (114, "BAD_SIGNATURE"),
        [CertificateVerifyFailed] = (125, "CERTIFICATE_VERIFY_FAILED"),
        [149] = (142, "DIGEST_CHECK_FAILED"),
        [150] = (146, "ENCRYPTED_LENGTH_TOO_LONG"),
        [152] = (150, "EXCESSIVE_MESSAGE_SIZE"),
        [155] = (155, "HTTPS_PROXY_REQUEST"),
        [156] = (156, "HTTP_REQUEST"),
        [159] = (137, "DECODE_ERROR"),
        [168] = (165, "MISSING_RSA_CERTIFICATE"),
        [191] = (264, "NO_SUPPORTED_VERSIONS_ENABLED"),
        [193] = (184, "NO_SHARED_CIPHER"),
        [198] = (146, "ENCRYPTED_LENGTH_TOO_LONG"),
        [PeerDidNotReturnACertificate] = (192, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        [244] = (222, "UNEXPECTED_MESSAGE"),
        [245] = (224, "UNEXPECTED_RECORD"),
        [257] = (237, "UNSUPPORTED_COMPRESSION_ALGORITHM"),
        [258] = (240, "UNSUPPORTED_PROTOCOL"),
        [261] = (242, "WRONG_CIPHER_RETURNED"),
        [WrongVersionNumber] = (247, "WRONG_VERSION_NUMBER"),
        [271] = (111, "BAD_LENGTH"),
        [281] = (139, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        [292] = (233, "UNKNOWN_SSL_VERSION"),
        [315] = (238, "UNSUPPORTED_ELLIPTIC_CURVE"),
        [339] = (182, "NO_RENEGOTIATION"),
        [370] = (245, "WRONG_SIGNATURE_TYPE"),
        [376] = (253, "NO_COMMON_SIGNATURE_ALGORITHMS"),
        [378] = (243, "WRONG_CURVE"),
        [396] = (240, "UNSUPPORTED_PROTOCOL"),
        [410] = (266, "NO_SHARED_GROUP"),
        [443] = (251, "INVALID_OUTER_RECORD_TYPE"),
    };

    /// <summary>Takes all errors off the queue. <paramref name="detail"/> is what the certificate validator said.</summary>
    public static TlsFailure Drain(string detail)
    {
        var text = new StringBuilder();
        var noCertificate = false;
        var counted = false;
        var any = false;
        var wrongVersion = false;
        while (LibCrypto.ERR_get_error() is var error and not 0)
        {
            any = true;
            text.Append(text.Length == 0 ? "TLS_error:" : "");
            var library = (error & SystemFlag) != 0 ? SystemLibrary : (int)(error >> LibraryShift) & 0xff;
            var reason = (int)(error & ReasonMask);
            if (library != SslLibrary)
            {
                counted |= library == SystemLibrary;
                text.Append('|').Append(error).Append(':').Append(OpenSsl.Text(LibCrypto.ERR_lib_error_string(error)))
                    .Append(":OPENSSL_internal:").Append(ReasonName(error));
                continue;
            }
            noCertificate |= reason == PeerDidNotReturnACertificate;
            wrongVersion |= reason == WrongVersionNumber;
            counted |= reason is PeerDidNotReturnACertificate or CertificateVerifyFailed;
            AppendSsl(text, error, reason);
        }
        if (any)
        {
            text.Append(detail.Length > 0 ? ":" : "").Append(detail).Append(":TLS_error_end");
        }
        return new TlsFailure(text.ToString(), noCertificate, any && !counted, wrongVersion);
    }

    /// <summary>A failure that OpenSSL did not report, in the same form.</summary>
    public static TlsFailure Make(int openSslReason)
    {
        var text = new StringBuilder("TLS_error:");
        AppendSsl(text, 0, openSslReason);
        return new TlsFailure(text.Append(":TLS_error_end").ToString(), false, true, false);
    }

    private static void AppendSsl(StringBuilder text, ulong error, int reason)
    {
        var (number, name) = Reasons.TryGetValue(reason, out var known) ? known : (reason, ReasonName(error));
        text.Append('|').Append(BoringSslLibrary + (ulong)number).Append(":SSL routines:OPENSSL_internal:").Append(name);
    }

    // OpenSSL writes "sslv3 alert handshake failure" where BoringSSL writes SSLV3_ALERT_HANDSHAKE_FAILURE.
    private static string ReasonName(ulong error) =>
        OpenSsl.Text(LibCrypto.ERR_reason_error_string(error)).Replace("tlsv13", "tlsv1", StringComparison.Ordinal)
            .Replace(' ', '_').ToUpperInvariant();
}

/// <summary>Why a handshake or a session failed.</summary>
/// <param name="Reason">Envoy's text; empty when the library reported nothing (the peer left).</param>
/// <param name="NoCertificate">A certificate was required and none came.</param>
/// <param name="ConnectionError">Counts as connection_error: neither a verification failure nor the peer's leaving.</param>
/// <param name="WrongVersion">The first bytes were not TLS.</param>
internal readonly record struct TlsFailure(string Reason, bool NoCertificate, bool ConnectionError, bool WrongVersion);
