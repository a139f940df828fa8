using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Verifies Ed25519 signatures (RFC 8032) with OpenSSL: .NET has no class for them.</summary>
internal sealed unsafe class Ed25519Verifier : SafeHandle
{
    /// <summary>EVP_PKEY_ED25519.</summary>
    private const int KeyType = 1087;

    public Ed25519Verifier(byte[] publicKey)
        : base(0, ownsHandle: true)
    {
        OpenSsl.EnsureLoaded();
        fixed (byte* start = publicKey)
        {
            SetHandle(LibCrypto.EVP_PKEY_new_raw_public_key(KeyType, 0, start, (nuint)publicKey.Length));
        }
        if (IsInvalid)
        {
            LibCrypto.ERR_clear_error();
            throw new FormatException("The Ed25519 key cannot be read.");
        }
    }

    public override bool IsInvalid => handle == 0;

    public bool Verify(byte[] data, byte[] signature)
    {
        var context = LibCrypto.EVP_MD_CTX_new();
        try
        {
            fixed (byte* signatureStart = signature)
            fixed (byte* dataStart = data)
            {
                return LibCrypto.EVP_DigestVerifyInit(context, 0, 0, 0, handle) == 1
                    && LibCrypto.EVP_DigestVerify(context, signatureStart, (nuint)signature.Length, dataStart, (nuint)data.Length) == 1;
            }
        }
        finally
        {
            LibCrypto.EVP_MD_CTX_free(context);
            LibCrypto.ERR_clear_error();
        }
    }

    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_free(handle);
        return true;
    }
}
