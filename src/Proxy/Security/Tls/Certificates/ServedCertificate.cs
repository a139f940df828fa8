using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>A certificate to show to peers, with its key.</summary>
internal sealed class ServedCertificate
{
    public ServedCertificate(CertificateHandles handles, string path)
    {
        Handles = handles;
        var facts = CertificateFacts.Read(handles.Certificate)
            ?? throw new Configuration.ConfigurationException($"Failed to load certificate chain from {path}");
        Loaded = new LoadedCertificate(facts, path, []);
        ServerNames = facts.Names.Dns.Count > 0 ? facts.Names.Dns : facts.CommonName.Length > 0 ? [facts.CommonName] : [];
        KeyType = LibCrypto.EVP_PKEY_get_base_id(handles.Key);
        KeyBits = LibCrypto.EVP_PKEY_get_bits(handles.Key);
    }

    public CertificateHandles Handles { get; }

    public LoadedCertificate Loaded { get; }

    public CertificateFacts Facts => Loaded.Facts;

    /// <summary>DNS names, or the common name when there is none: by these a server name chooses.</summary>
    public IReadOnlyList<string> ServerNames { get; }

    /// <summary>OpenSSL's key type: EVP_PKEY_RSA, EVP_PKEY_EC …</summary>
    public int KeyType { get; }

    public int KeyBits { get; }

    public bool IsEcdsa => KeyType == OpenSslConstants.KeyTypeEc;
}
