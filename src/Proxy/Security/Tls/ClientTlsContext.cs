using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>The client's side: name sent, protocols offered, sessions resumed.</summary>
internal sealed unsafe class ClientTlsContext : TlsContext
{
    /// <summary>BoringSSL's order on machines with AES instructions; OpenSSL's begins with AES-256.</summary>
    private const string Tls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

    private static readonly object NoCertificate = new();
    private static readonly ConditionalWeakTable<object, ConcurrentDictionary<TlsParameters, bool>> Tried = [];

    public ClientTlsContext(TlsContextSettings settings, ClientTlsSettings client)
        : base(settings)
    {
        Client = client;
        if (client.Sni.Length > MaxServerName)
        {
            throw new ConfigurationException($"SNI names longer than {MaxServerName} are not allowed");
        }
        if (client.MaxSessionKeys > 0)
        {
            Sessions = new ClientSessions(client.MaxSessionKeys);
        }
        // A mesh has thousands of contexts that differ in names alone, and few of them are ever used: each is tried by the first
        // of its kind, and made when it is needed.
        var tried = Tried.GetValue(settings.Certificates is [var first, ..] ? first : NoCertificate, static _ => new());
        if (!tried.ContainsKey(settings.Parameters))
        {
            _ = Handle;
            tried.TryAdd(settings.Parameters, true);
        }
    }

    protected override void Configure(nint handle)
    {
        LibSsl.SSL_CTX_set_ciphersuites(handle, Tls13Suites);
        // BoringSSL speaks to servers without RFC 5746; renegotiation, where that matters, is refused below.
        LibSsl.SSL_CTX_set_options(handle, OpenSslConstants.OpLegacyServerConnect);
        if (Client.AllowRenegotiation)
        {
            LibSsl.SSL_CTX_clear_options(handle, OpenSslConstants.OpNoRenegotiation);
        }
        LibSsl.SSL_CTX_set_verify(handle, Validator?.VerifyMode(false) ?? OpenSslConstants.VerifyNone, 0);
        if (Sessions is not null)
        {
            LibSsl.SSL_CTX_ctrl(handle, OpenSslConstants.CtrlSetSessionCacheMode,
                OpenSslConstants.SessionCacheClient | OpenSslConstants.SessionCacheNoInternal, null);
            LibSsl.SSL_CTX_sess_set_new_cb(handle, &TlsCallbacks.NewSession);
        }
    }

    /// <summary>RFC 6066 and DNS: a name has at most 255 bytes.</summary>
    private const int MaxServerName = 255;

    public ClientTlsSettings Client { get; }

    /// <summary>Null when sessions are not kept.</summary>
    public ClientSessions? Sessions { get; }
}
