using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>The client's side: name sent, protocols offered, sessions resumed.</summary>
internal sealed unsafe class ClientTlsContext : TlsContext
{
    /// <summary>BoringSSL's order on machines with AES instructions; OpenSSL's begins with AES-256.</summary>
    private const string Tls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

    public ClientTlsContext(TlsContextSettings settings, ClientTlsSettings client)
        : base(settings)
    {
        Client = client;
        if (client.Sni.Length > MaxServerName)
        {
            throw new ConfigurationException($"SNI names longer than {MaxServerName} are not allowed");
        }
        LibSsl.SSL_CTX_set_ciphersuites(Handle, Tls13Suites);
        // BoringSSL speaks to servers without RFC 5746; renegotiation, where that matters, is refused below.
        LibSsl.SSL_CTX_set_options(Handle, OpenSslConstants.OpLegacyServerConnect);
        if (client.AllowRenegotiation)
        {
            LibSsl.SSL_CTX_clear_options(Handle, OpenSslConstants.OpNoRenegotiation);
        }
        LibSsl.SSL_CTX_set_verify(Handle, Validator?.VerifyMode(false) ?? OpenSslConstants.VerifyNone, 0);
        if (client.MaxSessionKeys > 0)
        {
            Sessions = new ClientSessions(client.MaxSessionKeys);
            LibSsl.SSL_CTX_ctrl(Handle, OpenSslConstants.CtrlSetSessionCacheMode,
                OpenSslConstants.SessionCacheClient | OpenSslConstants.SessionCacheNoInternal, null);
            LibSsl.SSL_CTX_sess_set_new_cb(Handle, &TlsCallbacks.NewSession);
        }
    }

    /// <summary>RFC 6066 and DNS: a name has at most 255 bytes.</summary>
    private const int MaxServerName = 255;

    public ClientTlsSettings Client { get; }

    /// <summary>Null when sessions are not kept.</summary>
    public ClientSessions? Sessions { get; }
}
