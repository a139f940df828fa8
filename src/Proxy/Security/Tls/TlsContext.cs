using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;
using MeshProxy.Proxy.Security.Tls.Validation;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// One version of a TLS context: an SSL_CTX and what its callbacks need. Immutable; a secret's update makes another one, and
/// connections keep theirs.
/// </summary>
internal abstract unsafe class TlsContext
{
    private readonly Lock _gate = new();
    private volatile SslContextHandle? _handle;

    protected TlsContext(TlsContextSettings settings)
    {
        OpenSsl.EnsureLoaded();
        Settings = settings;
        AlpnWire = EncodeAlpn(settings.AlpnProtocols);
    }

    public TlsContextSettings Settings { get; }

    public TlsStats Stats => Settings.Stats;

    public ICertificateValidator? Validator => Settings.Validator;

    /// <summary>Protocols in the form of the extension (RFC 7301 3.1).</summary>
    public byte[] AlpnWire { get; }

    /// <summary>A minimum version above the maximum is a configuration with which every handshake fails (as Envoy).</summary>
    public bool NoVersionPossible => Settings.Parameters.MinimumVersion > Settings.Parameters.MaximumVersion;

    /// <summary>Everything loaded, for /certs and expiry: own certificates, then authorities.</summary>
    public IEnumerable<LoadedCertificate> Own => Settings.Certificates.Select(static c => c.Loaded);

    public IEnumerable<LoadedCertificate> Authorities => Validator?.Authorities ?? [];

    /// <summary>The SSL_CTX, made and configured when it is first asked for.</summary>
    protected nint Handle => Existing().Value;

    /// <summary>A new session of this context; the caller frees it.</summary>
    public nint NewSession()
    {
        var handle = Existing();
        var ssl = LibSsl.SSL_new(handle.Value);
        GC.KeepAlive(handle);
        return ssl != 0 ? ssl : throw new InvalidOperationException("OpenSSL cannot make a session.");
    }

    public static byte[] EncodeAlpn(IReadOnlyList<string> protocols)
    {
        var wire = new List<byte>();
        foreach (var protocol in protocols)
        {
            if (protocol.Length is 0 or > byte.MaxValue)
            {
                throw new ConfigurationException($"Invalid ALPN protocol string '{protocol}': it has 1 to 255 bytes.");
            }
            wire.Add((byte)protocol.Length);
            wire.AddRange(System.Text.Encoding.Latin1.GetBytes(protocol));
        }
        return wire.Count <= ushort.MaxValue ? [.. wire]
            : throw new ConfigurationException("Invalid ALPN protocol list: it is longer than 65535 bytes.");
    }

    /// <summary>What one side alone configures, before the handle is used.</summary>
    protected virtual void Configure(nint handle)
    {
    }

    protected static void Check(nint result, string error)
    {
        if (result == 1)
        {
            return;
        }
        LibCrypto.ERR_clear_error();
        throw new ConfigurationException(error);
    }

    private SslContextHandle Existing()
    {
        if (_handle is { } made)
        {
            return made;
        }
        lock (_gate)
        {
            return _handle ??= Make();
        }
    }

    private SslContextHandle Make()
    {
        var handle = new SslContextHandle(LibSsl.SSL_CTX_new(LibSsl.TLS_method()));
        ConfigureBoth(handle.Value);
        Configure(handle.Value);
        return handle;
    }

    private void ConfigureBoth(nint handle)
    {
        // Level 0 and explicit lists: what is allowed is the configuration's say, whatever openssl.cnf of the machine says.
        LibSsl.SSL_CTX_set_security_level(handle, 0);
        LibSsl.SSL_CTX_set_options(handle, OpenSslConstants.OpNoCompression | OpenSslConstants.OpIgnoreUnexpectedEof
            | OpenSslConstants.OpNoRenegotiation);
        LibSsl.SSL_CTX_ctrl(handle, OpenSslConstants.CtrlMode, OpenSslConstants.ModePartialWrite
            | OpenSslConstants.ModeMovingWriteBuffer | OpenSslConstants.ModeReleaseBuffers | OpenSslConstants.ModeNoAutoChain, null);
        LibSsl.SSL_CTX_ctrl(handle, OpenSslConstants.CtrlSetReadAhead, 1, null);
        var parameters = Settings.Parameters;
        if (!NoVersionPossible)
        {
            LibSsl.SSL_CTX_ctrl(handle, OpenSslConstants.CtrlSetMinimumVersion, parameters.MinimumVersion, null);
            LibSsl.SSL_CTX_ctrl(handle, OpenSslConstants.CtrlSetMaximumVersion, parameters.MaximumVersion, null);
        }
        Check(LibSsl.SSL_CTX_set_cipher_list(handle, parameters.Ciphers), $"Failed to initialize cipher suites {parameters.Ciphers}");
        Check(LibSsl.SSL_CTX_ctrl_text(handle, OpenSslConstants.CtrlSetGroupsList, 0, parameters.Groups),
            $"Failed to initialize ECDH curves {parameters.Groups}");
        Check(LibSsl.SSL_CTX_ctrl_text(handle, OpenSslConstants.CtrlSetSignatureAlgorithms, 0, parameters.SignatureAlgorithms),
            $"Failed to initialize TLS signature algorithms {parameters.SignatureAlgorithms}");
        Check(LibSsl.SSL_CTX_ctrl_text(handle, OpenSslConstants.CtrlSetClientSignatureAlgorithms, 0, parameters.SignatureAlgorithms),
            $"Failed to initialize TLS signature algorithms {parameters.SignatureAlgorithms}");
        LibSsl.SSL_CTX_set_cert_verify_callback(handle, &TlsCallbacks.VerifyPeer, 0);
        if (Settings.KeyLog is not null)
        {
            LibSsl.SSL_CTX_set_keylog_callback(handle, &TlsCallbacks.LogKey);
        }
        if (Settings.Certificates.Count > 0)
        {
            Use(handle, Settings.Certificates[0]);
        }
    }

    private static void Use(nint handle, ServedCertificate certificate)
    {
        var handles = certificate.Handles;
        Check(LibSsl.SSL_CTX_use_cert_and_key(handle, handles.Certificate, handles.Key, handles.Chain, 1),
            $"Failed to load certificate chain from {certificate.Loaded.Path}");
    }
}
