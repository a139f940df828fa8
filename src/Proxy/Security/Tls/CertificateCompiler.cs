using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Compiles a TlsCertificate: loads chain and key, refuses what does not belong together or is too weak.</summary>
internal static class CertificateCompiler
{
    /// <summary>Envoy refuses smaller RSA keys.</summary>
    private const int MinimumRsaBits = 2048;

    private static readonly Shared<ServedCertificate> Pairs = new();

    public static ServedCertificate Compile(TlsCertificate config)
    {
        OpenSsl.EnsureLoaded();
        RefuseUnsupported(config);
        var password = SecretData.Read(config.Password, "password")?.Bytes;
        var certificate = config.Pkcs12 is null ? CompilePair(config, password) : CompileBundle(config, password);
        CheckStrength(certificate);
        return certificate;
    }

    private static ServedCertificate CompilePair(TlsCertificate config, byte[]? password)
    {
        var chain = SecretData.Read(config.CertificateChain, "certificate_chain")
            ?? throw new ConfigurationException("Failed to load incomplete certificate: certificate_chain is empty");
        var key = SecretData.Read(config.PrivateKey, "private_key")
            ?? throw new ConfigurationException($"Failed to load incomplete private key for the certificate {chain.Path}: private_key is empty");
        return Pairs.Get($"{chain.Path}\n{key.Path}", [chain.Bytes, key.Bytes, password], () =>
            new ServedCertificate(PemFile.ReadPair(chain.Bytes, chain.Path, key.Bytes, key.Path, password), chain.Path));
    }

    private static ServedCertificate CompileBundle(TlsCertificate config, byte[]? password)
    {
        if (config.CertificateChain is not null || config.PrivateKey is not null)
        {
            throw new ConfigurationException(
                "Certificate configurations can't have both pkcs12 and certificate_chain or private_key");
        }
        var bundle = SecretData.Read(config.Pkcs12, "pkcs12") ?? throw new ConfigurationException("Failed to load pkcs12: it is empty");
        var text = password is null ? null : Encoding.UTF8.GetString(password);
        return new ServedCertificate(PemFile.ReadBundle(bundle.Bytes, bundle.Path, text), bundle.Path);
    }

    private static void CheckStrength(ServedCertificate certificate)
    {
        var path = certificate.Loaded.Path;
        if (certificate.KeyType == OpenSslConstants.KeyTypeRsa && certificate.KeyBits < MinimumRsaBits)
        {
            throw new ConfigurationException(
                $"Failed to load certificate chain from {path}, only RSA certificates with 2048-bit or larger keys are supported");
        }
        if (certificate.IsEcdsa && certificate.KeyBits is not (256 or 384 or 521))
        {
            throw new ConfigurationException(
                $"Failed to load certificate chain from {path}, only P-256, P-384 or P-521 ECDSA certificates are supported");
        }
    }

    private static void RefuseUnsupported(TlsCertificate config)
    {
        if (config.PrivateKeyProvider is { } provider)
        {
            throw new ConfigurationException(
                $"Failed to load private key provider: {provider.ProviderName}; private_key_provider is not supported, use private_key.");
        }
        if (config.TlsParams is not null || config.SignedCertificateTimestamp.Count > 0)
        {
            throw new ConfigurationException("tls_certificate: tls_params and signed_certificate_timestamp are not supported: leave them out.");
        }
        if (config.OcspStaple is not null)
        {
            throw new ConfigurationException("tls_certificate: ocsp_staple is not supported yet: leave it out.");
        }
    }
}
