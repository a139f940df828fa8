using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Owns a certificate, its key and the certificates to send after it, as OpenSSL objects.</summary>
internal sealed class CertificateHandles : SafeHandle
{
    private readonly nint _key;
    private readonly nint _chain;

    /// <summary>Takes ownership of all three; <paramref name="chain"/> is a STACK_OF(X509).</summary>
    public CertificateHandles(nint certificate, nint key, nint chain)
        : base(0, ownsHandle: true)
    {
        SetHandle(certificate);
        _key = key;
        _chain = chain;
    }

    public override bool IsInvalid => handle == 0;

    public nint Certificate => handle;

    public nint Key => _key;

    public nint Chain => _chain;

    protected override bool ReleaseHandle()
    {
        LibCrypto.X509_free(handle);
        LibCrypto.EVP_PKEY_free(_key);
        for (var i = 0; i < LibCrypto.OPENSSL_sk_num(_chain); i++)
        {
            LibCrypto.X509_free(LibCrypto.OPENSSL_sk_value(_chain, i));
        }
        LibCrypto.OPENSSL_sk_free(_chain);
        return true;
    }
}
