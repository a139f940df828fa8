using System.Runtime.InteropServices;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;
using MeshProxy.Proxy.Security.Tls.Validation;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// TLS on one connection, either side, entirely on its loop (Envoy's SslSocket). Records are encrypted into a buffer and
/// leave several to a system call; plaintext counts as written only when its records have left.
/// </summary>
internal sealed unsafe class TlsSocket : ITransportSocket
{
    /// <summary>Plaintext of one record (RFC 8446 5.1).</summary>
    private const int RecordPlaintext = 16 * 1024;

    /// <summary>Ciphertext gathered before it is sent: enough to save calls, little enough to keep in the cache.</summary>
    private const int SendAt = 64 * 1024;

    /// <summary>OpenSSL's reason (sslerr.h) when no version is possible.</summary>
    private const int NoProtocolsAvailable = 191;

    private readonly TlsClientRequest? _request;
    private readonly ByteBuffer _out = new();
    private readonly TlsConnectionInfo _info = new();
    private ITransportSocketCallbacks _callbacks = null!;
    private nint _ssl;
    private GCHandle _self;
    private Exception? _fault;
    private string _verifyDetail = "";
    private long _inOut;
    private int _ioError;
    private bool _inputDrained;
    private bool _established;
    private bool _failed;
    private bool _shutdownSent;
    private bool _closed;

    /// <summary>The server's side.</summary>
    public TlsSocket(ServerTlsContext context) => Context = context;

    /// <summary>The client's side, with what this connection asks beyond its context.</summary>
    public TlsSocket(ClientTlsContext context, TlsClientRequest request)
    {
        Context = context;
        _request = request;
    }

    public TlsContext Context { get; }

    /// <summary>The peer's FIN was read.</summary>
    public bool PeerEnded { get; private set; }

    public string NextProtocol => _info.Alpn;

    public string FailureReason { get; private set; } = "";

    public ITlsConnectionInfo Tls => _info;

    public bool CanFlushClose => _established;

    public void SetCallbacks(ITransportSocketCallbacks callbacks) => _callbacks = callbacks;

    public void OnConnected()
    {
    }

    public IoResult DoRead(ByteBuffer buffer)
    {
        _inputDrained = false;
        if (!_established && !TryHandshake(out var outcome))
        {
            return outcome;
        }
        long total = 0;
        while (!_closed)
        {
            var space = buffer.ReserveForRead();
            int count;
            fixed (byte* target = space)
            {
                count = LibSsl.SSL_read(_ssl, target, space.Length);
            }
            if (count <= 0)
            {
                buffer.ReleaseUnused();
                return EndRead(count, total);
            }
            buffer.Commit(count);
            total += count;
            if (_callbacks.ShouldDrainReadBuffer)
            {
                _callbacks.SetTransportSocketIsReadable();
                return new IoResult(total);
            }
        }
        return new IoResult(total);
    }

    public IoResult DoWrite(ByteBuffer buffer, bool endStream)
    {
        if (!_established)
        {
            _inputDrained = false;
            if (!TryHandshake(out var outcome))
            {
                return outcome;
            }
        }
        long total = 0;
        while (true)
        {
            if (!Flush())
            {
                return _ioError == 0 ? new IoResult(total) : Broken(total);
            }
            total += Settle(buffer);
            if (buffer.IsEmpty)
            {
                break;
            }
            while (!buffer.IsEmpty && _out.Length < SendAt)
            {
                total += Settle(buffer);
                if (!buffer.IsEmpty && !EncryptRecord(buffer))
                {
                    Fail();
                    Flush();
                    return new IoResult(total, Close: true);
                }
            }
        }
        if (endStream && !_shutdownSent)
        {
            SendCloseNotify();
            Flush();
        }
        return new IoResult(total);
    }

    public void CloseSocket(ConnectionEvent reason)
    {
        if (_closed)
        {
            return;
        }
        _closed = true;
        if (_ssl == 0)
        {
            return;
        }
        if (_established && !_failed && !_shutdownSent && _ioError == 0)
        {
            // Best effort: it does not go out when the socket has no room.
            SendCloseNotify();
            Flush();
        }
        TakeSessionId();
        LibSsl.SSL_free(_ssl);
        _ssl = 0;
        _self.Free();
        _out.Clear();
    }

    /// <summary>For the BIO: bytes read, or a negative errno.</summary>
    internal int ReadRaw(Span<byte> destination)
    {
        if (_inputDrained)
        {
            return -IIoHandle.Again;
        }
        var count = (int)_callbacks.Io.Read(destination);
        if (count > 0)
        {
            // A short read emptied the kernel's buffer: the next event tells of more, and a call is saved.
            _inputDrained = count < destination.Length;
        }
        else if (count == 0)
        {
            PeerEnded = true;
        }
        else if (count != -IIoHandle.Again)
        {
            _ioError = -count;
        }
        return count;
    }

    /// <summary>For the BIO: takes all, to be sent by <see cref="Flush"/>.</summary>
    internal void WriteRaw(ReadOnlySpan<byte> source) => _out.Append(source);

    /// <summary>Keeps an exception of a callback until the call into OpenSSL is over.</summary>
    internal void Fault(Exception fault) => _fault ??= fault;

    internal bool KeepSession(nint session)
    {
        if (_request is null || Context is not ClientTlsContext { Sessions: { } sessions })
        {
            return false;
        }
        sessions.Add(_request.SessionKey, session);
        return true;
    }

    internal void LogKey(ReadOnlySpan<byte> line)
    {
        var connection = _callbacks.Connection.Info;
        Context.Settings.KeyLog?.Write(connection.LocalAddress, connection.RemoteAddress, line);
    }

    /// <summary>Called with the peer's certificates; what it refuses ends the handshake with the alert of its reason.</summary>
    internal bool VerifyPeer(nint store)
    {
        var leaf = LibCrypto.X509_STORE_CTX_get0_cert(store);
        var sent = LibCrypto.X509_STORE_CTX_get0_untrusted(store);
        var facts = TakePeer(leaf, sent);
        if (Context.Validator is not { } validator)
        {
            LibCrypto.X509_STORE_CTX_set_error(store, 0);
            return true;
        }
        if (facts is null)
        {
            _verifyDetail = "verify cert failed: the certificate cannot be read";
            Context.Stats.Inc(TlsStat.FailVerifyError);
            LibCrypto.X509_STORE_CTX_set_error(store, TlsAlerts.ToVerifyError(TlsAlerts.BadCertificate));
            return false;
        }
        var verdict = validator.Verify(
            new PeerCertificates(leaf, sent, facts, _request is null, _request?.RequiredNames ?? []), Context.Stats);
        if (verdict.Accepted && !UsageFits(leaf, facts))
        {
            verdict = CertificateVerdict.Refuse(TlsAlerts.UnsupportedCertificate, "verify cert failed: KEY_USAGE_BIT_INCORRECT");
        }
        _info.PeerCertificateValidated = verdict.Proven;
        _verifyDetail = verdict.Detail;
        LibCrypto.X509_STORE_CTX_set_error(store, verdict.Accepted ? 0 : TlsAlerts.ToVerifyError(verdict.Alert));
        return verdict.Accepted;
    }

    // enforce_rsa_key_usage: the ECDHE ciphers sign, so an RSA key must be one that may sign (RFC 5280 4.2.1.3).
    private bool UsageFits(nint leaf, CertificateFacts facts)
    {
        if (Context is not ClientTlsContext client || facts.Usages is not { } usages
            || (usages & CertificateUsages.DigitalSignature) != 0
            || LibCrypto.EVP_PKEY_get_base_id(LibCrypto.X509_get0_pubkey(leaf)) != OpenSslConstants.KeyTypeRsa)
        {
            return true;
        }
        Context.Stats.Inc(TlsStat.WasKeyUsageInvalid);
        return !client.Client.EnforceRsaKeyUsage;
    }

    private CertificateFacts? TakePeer(nint leaf, nint sent)
    {
        var count = Math.Max(LibCrypto.OPENSSL_sk_num(sent), 0);
        var chain = new List<CertificateFacts>(count);
        for (var i = 0; i < count; i++)
        {
            if (CertificateCache.Find(LibCrypto.OPENSSL_sk_value(sent, i)) is { } facts)
            {
                chain.Add(facts);
            }
        }
        var leafFacts = CertificateCache.Find(leaf);
        _info.PeerChain = chain.Count > 0 ? [.. chain] : leafFacts is null ? [] : [leafFacts];
        return leafFacts;
    }

    private bool TryHandshake(out IoResult outcome)
    {
        outcome = default;
        if (_failed || _closed || Context.NoVersionPossible)
        {
            FailWithoutVersion();
            outcome = new IoResult(0, Close: true);
            return false;
        }
        if (_ssl == 0)
        {
            Begin();
        }
        var result = LibSsl.SSL_do_handshake(_ssl);
        ThrowFault();
        if (result == 1)
        {
            if (!Flush() && _ioError != 0)
            {
                outcome = Broken(0);
                return false;
            }
            Establish();
            outcome = new IoResult(0, Close: _closed);
            return !_closed;
        }
        var error = LibSsl.SSL_get_error(_ssl, result);
        if (error is OpenSslConstants.ErrorWantRead && _ioError == 0)
        {
            Flush();
            outcome = _ioError == 0 ? new IoResult(0, MoreMayFollow: _inputDrained) : Broken(0);
            return false;
        }
        Fail();
        Flush();
        outcome = new IoResult(0, Close: true, Reset: _ioError == Constants.EConnectionReset);
        return false;
    }

    private void Begin()
    {
        LibCrypto.ERR_clear_error();
        _ssl = Context.NewSession();
        _self = GCHandle.Alloc(this);
        var bio = TlsBio.Create(GCHandle.ToIntPtr(_self));
        LibSsl.SSL_set_bio(_ssl, bio, bio);
        if (_request is null)
        {
            LibSsl.SSL_set_accept_state(_ssl);
            return;
        }
        LibSsl.SSL_set_connect_state(_ssl);
        _request.Apply(_ssl, ((ClientTlsContext)Context).Sessions);
    }

    private void Establish()
    {
        _established = true;
        var cipher = LibSsl.SSL_get_current_cipher(_ssl);
        var version = LibSsl.SSL_version(_ssl);
        _info.CipherSuiteId = LibSsl.SSL_CIPHER_get_protocol_id(cipher);
        _info.CipherSuite = CipherNames.Find(_info.CipherSuiteId, cipher);
        _info.TlsVersion = TlsNames.Version(version);
        _info.Alpn = TlsSessionFacts.Alpn(_ssl);
        _info.Sni = _request?.ServerName ?? TlsSessionFacts.ServerName(_ssl);
        TakeCertificates();
        Context.Stats.Inc(TlsStat.Handshake);
        Context.Stats.CountSession(_info.CipherSuiteId, _info.CipherSuite, version, _info.TlsVersion,
            TlsSessionFacts.Group(_ssl), TlsSessionFacts.PeerSignature(_ssl));
        _callbacks.RaiseEvent(ConnectionEvent.Connected);
    }

    private void TakeCertificates()
    {
        var local = LibSsl.SSL_get_certificate(_ssl);
        _info.Local = local == 0 ? null : CertificateCache.Find(local);
        if (LibSsl.SSL_session_reused(_ssl) != 0)
        {
            Context.Stats.Inc(TlsStat.SessionReused);
            var peer = LibSsl.SSL_get1_peer_certificate(_ssl);
            if (peer != 0)
            {
                TakePeer(peer, 0);
                LibCrypto.X509_free(peer);
                _info.PeerCertificateValidated = Context.Validator is { ProvesIdentity: true };
            }
        }
        if (_info.PeerChain.Length == 0)
        {
            Context.Stats.Inc(TlsStat.NoCertificate);
        }
    }

    private bool EncryptRecord(ByteBuffer buffer)
    {
        var count = (int)Math.Min(buffer.Length, RecordPlaintext);
        var plaintext = buffer.Linearize(count);
        fixed (byte* start = plaintext)
        {
            var written = LibSsl.SSL_write(_ssl, start, count);
            ThrowFault();
            _inOut = Math.Max(written, 0);
            return written > 0;
        }
    }

    // Plaintext whose record is buffered stays in the connection's buffer, so that "empty" means "left for the kernel".
    private long Settle(ByteBuffer buffer)
    {
        var count = _inOut;
        buffer.Drain(count);
        _inOut = 0;
        return count;
    }

    private IoResult EndRead(int result, long total)
    {
        ThrowFault();
        var error = LibSsl.SSL_get_error(_ssl, result);
        if (!_out.IsEmpty)
        {
            Flush();
        }
        if (_ioError != 0)
        {
            return Broken(total);
        }
        if (error == OpenSslConstants.ErrorWantRead)
        {
            return new IoResult(total, MoreMayFollow: _inputDrained);
        }
        if (error == OpenSslConstants.ErrorZeroReturn || (error == OpenSslConstants.ErrorSyscall && PeerEnded))
        {
            return new IoResult(total, EndStreamRead: true);
        }
        Fail();
        Flush();
        return new IoResult(total, Close: true);
    }

    private IoResult Broken(long total)
    {
        _failed = true;
        LibCrypto.ERR_clear_error();
        return new IoResult(total, Close: true, Reset: _ioError == Constants.EConnectionReset);
    }

    private void FailWithoutVersion()
    {
        if (!_failed && !_closed)
        {
            _failed = true;
            FailureReason = TlsErrors.Make(NoProtocolsAvailable).Reason;
            Context.Stats.Inc(TlsStat.ConnectionError);
        }
    }

    private void Fail()
    {
        var beforeHandshake = !_established;
        _failed = true;
        var failure = TlsErrors.Drain(_verifyDetail);
        FailureReason = failure.Reason;
        if (failure.NoCertificate)
        {
            Context.Stats.Inc(TlsStat.FailVerifyNoCert);
        }
        if (failure.ConnectionError)
        {
            Context.Stats.Inc(TlsStat.ConnectionError);
        }
        if (failure.WrongVersion && beforeHandshake && _request is null)
        {
            // BoringSSL tells a stranger protocol_version in a TLS 1.0 record; OpenSSL says nothing.
            _out.Append([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70]);
        }
    }

    private void SendCloseNotify()
    {
        _shutdownSent = true;
        LibSsl.SSL_shutdown(_ssl);
        LibCrypto.ERR_clear_error();
    }

    private void TakeSessionId()
    {
        if (_established)
        {
            _info.SessionIdBytes = TlsSessionFacts.SessionId(_ssl);
        }
    }

    /// <summary>True when nothing is left to send; false when the socket is full, or broken with <see cref="_ioError"/>.</summary>
    private bool Flush()
    {
        while (!_out.IsEmpty)
        {
            var count = _callbacks.Io.Write(_out);
            if (count < 0)
            {
                _ioError = count == -IIoHandle.Again ? _ioError : (int)-count;
                return false;
            }
            _out.Drain(count);
        }
        return true;
    }

    private void ThrowFault()
    {
        if (_fault is { } fault)
        {
            _fault = null;
            _failed = true;
            LibCrypto.ERR_clear_error();
            throw new InvalidOperationException("A TLS callback failed: " + fault.Message, fault);
        }
    }
}
