using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Names of versions, groups and signature algorithms as BoringSSL, and so Envoy's stats, spell them.</summary>
internal static class TlsNames
{
    public static string Version(int version) => version switch
    {
        OpenSslConstants.Tls13 => "TLSv1.3",
        OpenSslConstants.Tls12 => "TLSv1.2",
        OpenSslConstants.Tls11 => "TLSv1.1",
        OpenSslConstants.Tls10 => "TLSv1",
        _ => "unknown",
    };

    /// <summary>By OpenSSL's NID (obj_mac.h), or 0x1000000 | the IANA number where it has none.</summary>
    public static string? Group(int nid) => nid switch
    {
        1034 => "X25519",
        415 => "P-256",
        715 => "P-384",
        716 => "P-521",
        0x010011ec => "X25519MLKEM768",
        _ => null,
    };

    /// <summary>The number under which <see cref="Signature"/> knows a key type and a digest, both NIDs.</summary>
    public static int SignatureKey(int type, int digest) => (type << 12) | digest;

    public static string? Signature(int key) => (key >> 12, key & 0xfff) switch
    {
        (408, 672) => "ecdsa_secp256r1_sha256",
        (408, 673) => "ecdsa_secp384r1_sha384",
        (408, 674) => "ecdsa_secp521r1_sha512",
        (408, 64) => "ecdsa_sha1",
        (912, 672) => "rsa_pss_rsae_sha256",
        (912, 673) => "rsa_pss_rsae_sha384",
        (912, 674) => "rsa_pss_rsae_sha512",
        (6, 672) => "rsa_pkcs1_sha256",
        (6, 673) => "rsa_pkcs1_sha384",
        (6, 674) => "rsa_pkcs1_sha512",
        (6, 64) => "rsa_pkcs1_sha1",
        (1087, _) => "ed25519",
        _ => null,
    };
}
