using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Trust anchors with their revocation lists, and the verification of a chain against them.</summary>
internal sealed unsafe class TrustStore
{
    private readonly X509StoreHandle _store = new();
    private readonly int _depth;
    private ulong _flags = OpenSslConstants.StorePartialChain;

    /// <param name="maxVerifyDepth">Envoy's max_verify_depth; null is 100.</param>
    /// <param name="allowExpired">Validity periods do not count.</param>
    public TrustStore(uint? maxVerifyDepth, bool allowExpired)
    {
        // BoringSSL counts the trust anchor, OpenSSL only what lies between it and the leaf.
        _depth = (int)Math.Max(0, (maxVerifyDepth ?? DefaultDepth) - 1L);
        _flags |= allowExpired ? OpenSslConstants.StoreNoCheckTime : 0;
        LibCrypto.X509_STORE_set_flags(_store.Value, _flags);
    }

    private const uint DefaultDepth = 100;

    public List<LoadedCertificate> Anchors { get; } = [];

    /// <summary>Adds every certificate and revocation list of a PEM text; refuses one without certificates.</summary>
    public void AddAnchors(byte[] pem, string path)
    {
        var count = Anchors.Count;
        foreach (var certificate in PemFile.ReadCertificates(pem, TrustError(path)))
        {
            Add(certificate, path);
        }
        if (Anchors.Count == count)
        {
            throw new ConfigurationException(TrustError(path));
        }
        if (AddLists(pem, TrustError(path)))
        {
            CheckRevocation(leafOnly: false);
        }
    }

    public void AddAnchor(byte[] der, string path)
    {
        fixed (byte* start = der)
        {
            var source = start;
            var certificate = LibCrypto.d2i_X509(0, &source, der.Length);
            if (certificate == 0)
            {
                LibCrypto.ERR_clear_error();
                throw new ConfigurationException(TrustError(path));
            }
            Add(certificate, path);
        }
    }

    /// <summary>Adds revocation lists; from then on every certificate must be covered by one, or the leaf only.</summary>
    public void AddRevocationLists(byte[] pem, string path, bool leafOnly)
    {
        AddLists(pem, $"Failed to load CRL from {path}");
        CheckRevocation(leafOnly);
    }

    /// <summary>0, or the X509_V_ERR_ number, with the sentence for logs.</summary>
    public int Verify(nint leaf, nint sent, bool peerIsClient, out string detail)
    {
        var context = LibCrypto.X509_STORE_CTX_new();
        try
        {
            if (LibCrypto.X509_STORE_CTX_init(context, _store.Value, leaf, sent) != 1
                || LibCrypto.X509_STORE_CTX_set_default(context, peerIsClient ? "ssl_client" : "ssl_server") != 1)
            {
                detail = "verify cert failed: X509_verify_cert: cannot be set up";
                return 1;
            }
            LibCrypto.X509_STORE_CTX_set_depth(context, _depth);
            if (LibCrypto.X509_verify_cert(context) == 1)
            {
                detail = "";
                return 0;
            }
            var error = LibCrypto.X509_STORE_CTX_get_error(context);
            var depth = LibCrypto.X509_STORE_CTX_get_error_depth(context);
            detail = $"verify cert failed: X509_verify_cert: certificate verification error at depth {depth}: "
                + OpenSsl.Text(LibCrypto.X509_verify_cert_error_string(error));
            return error == 0 ? 1 : error;
        }
        finally
        {
            LibCrypto.X509_STORE_CTX_free(context);
            LibCrypto.ERR_clear_error();
            GC.KeepAlive(_store);
        }
    }

    private void Add(nint certificate, string path)
    {
        var facts = CertificateFacts.Read(certificate);
        if (facts is not null)
        {
            LibCrypto.X509_STORE_add_cert(_store.Value, certificate);
        }
        var name = Encode(LibCrypto.X509_get_subject_name(certificate));
        LibCrypto.X509_free(certificate);
        Anchors.Add(new LoadedCertificate(facts ?? throw new ConfigurationException(TrustError(path)), path, name));
    }

    private bool AddLists(byte[] pem, string error)
    {
        var lists = PemFile.ReadRevocationLists(pem, error);
        foreach (var list in lists)
        {
            LibCrypto.X509_STORE_add_crl(_store.Value, list);
            LibCrypto.X509_CRL_free(list);
        }
        return lists.Count > 0;
    }

    private void CheckRevocation(bool leafOnly)
    {
        _flags |= OpenSslConstants.StoreCrlCheck | (leafOnly ? 0 : OpenSslConstants.StoreCrlCheckAll);
        LibCrypto.X509_STORE_set_flags(_store.Value, _flags);
    }

    private static string TrustError(string path) => $"Failed to load trusted CA certificates from {path}";

    private static byte[] Encode(nint name)
    {
        var bytes = new byte[Math.Max(LibCrypto.i2d_X509_NAME(name, null), 0)];
        fixed (byte* start = bytes)
        {
            var target = start;
            LibCrypto.i2d_X509_NAME(name, &target);
        }
        return bytes;
    }
}
