using System.Security.Cryptography;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>The server's side: which certificate is shown, which client certificate is asked for, how sessions resume.</summary>
internal sealed unsafe class ServerTlsContext : TlsContext
{
    private readonly ServerTlsSettings _server;
    private readonly CertificateSelector? _selector;

    public ServerTlsContext(TlsContextSettings settings, ServerTlsSettings server)
        : base(settings)
    {
        _server = server;
        _selector = settings.Certificates.Count > 1 ? new CertificateSelector(settings.Certificates, server.FullScan) : null;
        LibSsl.SSL_CTX_set_verify(Handle, Validator?.VerifyMode(server.RequireClientCertificate) ?? OpenSslConstants.VerifyNone, 0);
        SetAuthorityNames();
        if (!server.PreferClientCiphers)
        {
            LibSsl.SSL_CTX_set_options(Handle, OpenSslConstants.OpCipherServerPreference
                | (settings.Parameters.PrioritizeChaCha ? OpenSslConstants.OpPrioritizeChaCha : 0));
        }
        if (!server.PreferClientCiphers || _selector is not null)
        {
            LibSsl.SSL_CTX_set_client_hello_cb(Handle, &TlsCallbacks.ClientHello, 0);
        }
        if (AlpnWire.Length > 0)
        {
            LibSsl.SSL_CTX_set_alpn_select_cb(Handle, &TlsCallbacks.SelectAlpn, 0);
        }
        ConfigureResumption();
    }

    public TicketKeys? TicketKeys => _server.TicketKeys;

    /// <summary>Chooses what depends on the client: its own order among TLS 1.3 suites (as BoringSSL), and the certificate.</summary>
    public void OnClientHello(nint ssl)
    {
        var hello = new ClientHello(ssl);
        if (hello.OffersTls13 && Settings.Parameters.MaximumVersion >= OpenSslConstants.Tls13)
        {
            LibSsl.SSL_clear_options(ssl, OpenSslConstants.OpCipherServerPreference);
        }
        if (_selector?.Select(hello) is { } certificate && certificate != Settings.Certificates[0])
        {
            var handles = certificate.Handles;
            LibSsl.SSL_certs_clear(ssl);
            LibSsl.SSL_use_cert_and_key(ssl, handles.Certificate, handles.Key, handles.Chain, 1);
        }
    }

    /// <summary>Where in the offered list (RFC 7301 3.1) the first of our own protocols stands that is there; -1 when none is.</summary>
    public int SelectAlpn(ReadOnlySpan<byte> offered)
    {
        for (ReadOnlySpan<byte> own = AlpnWire; own.Length > 0; own = own[(1 + own[0])..])
        {
            for (var at = 0; at < offered.Length; at += 1 + offered[at])
            {
                if (offered[at..].StartsWith(own[..(1 + own[0])]))
                {
                    return at;
                }
            }
        }
        return -1;
    }

    private void ConfigureResumption()
    {
        if (!_server.StatelessResumption)
        {
            LibSsl.SSL_CTX_set_options(Handle, OpenSslConstants.OpNoTicket);
            // Without tickets OpenSSL would resume TLS 1.3 from its memory; Envoy does not resume it at all.
            LibSsl.SSL_CTX_set_num_tickets(Handle, 0);
        }
        if (_server.TicketKeys is not null)
        {
            LibSsl.SSL_CTX_set_tlsext_ticket_key_evp_cb(Handle, &TlsCallbacks.TicketKey);
        }
        LibSsl.SSL_CTX_ctrl(Handle, OpenSslConstants.CtrlSetSessionCacheMode,
            _server.StatefulResumption ? OpenSslConstants.SessionCacheServer : OpenSslConstants.SessionCacheOff, null);
        if (_server.SessionTimeout is { } timeout)
        {
            LibSsl.SSL_CTX_set_timeout(Handle, (nint)timeout.TotalSeconds);
        }
        SetSessionContext();
    }

    // A session counts only where the same certificates and the same demands on clients were in force.
    private void SetSessionContext()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var certificate in Own.Concat(Authorities))
        {
            hash.AppendData(certificate.Facts.Sha256Bytes);
        }
        hash.AppendData([(byte)(_server.RequireClientCertificate ? 1 : 0)]);
        var identifier = hash.GetHashAndReset();
        fixed (byte* start = identifier)
        {
            LibSsl.SSL_CTX_set_session_id_context(Handle, start, (uint)identifier.Length);
        }
    }

    private void SetAuthorityNames()
    {
        var stack = LibCrypto.OPENSSL_sk_new_null();
        foreach (var encoded in Validator?.AuthorityNames ?? [])
        {
            fixed (byte* start = encoded)
            {
                var source = start;
                LibCrypto.OPENSSL_sk_push(stack, LibCrypto.d2i_X509_NAME(0, &source, encoded.Length));
            }
        }
        LibSsl.SSL_CTX_set_client_CA_list(Handle, stack);
    }
}
