using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Certificates;
using Config = Envoy.Extensions.TransportSockets.Tls.V3.CertificateValidationContext;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Compiles a CertificateValidationContext; what is not implemented is refused, since ignoring it would let peers in.</summary>
internal static class ValidationContextCompiler
{
    private const string SpiffeValidator = "envoy.tls.cert_validator.spiffe";
    private const int Sha256Bytes = 32;

    private static readonly Shared<TrustStore> Stores = new();

    public static ICertificateValidator Compile(Config config)
    {
        RefuseUnsupported(config);
        if (config.CustomValidatorConfig is { } custom)
        {
            return CompileCustom(config, custom.Name, custom.TypedConfig);
        }
        var trust = CompileTrust(config);
        var names = CompileNames(config);
        if (trust is null && names.Count > 0)
        {
            throw new ConfigurationException(
                "SAN-based verification of peer certificates without trusted CA is insecure and not allowed");
        }
        return new DefaultCertificateValidator(new ValidationSettings
        {
            Trust = trust,
            Names = names,
            CertificateHashes = [.. config.VerifyCertificateHash.Select(ReadHash)],
            PublicKeyHashes = [.. config.VerifyCertificateSpki.Select(ReadPublicKeyHash)],
            AcceptUntrusted = config.TrustChainVerificationValue == Config.TrustChainVerification.AcceptUntrusted,
            SuppressAuthorityNames = config.SuppressClientCaList,
        });
    }

    private static TrustStore? CompileTrust(Config config)
    {
        var authorities = SecretData.Read(config.TrustedCa, "trusted_ca");
        var lists = SecretData.Read(config.Crl, "crl");
        if (authorities is null)
        {
            if (lists is not null)
            {
                throw new ConfigurationException($"Failed to load CRL from {lists.Path} without trusted CA");
            }
            return config.AllowExpiredCertificate
                ? throw new ConfigurationException("Certificate validity period is always ignored without trusted CA")
                : null;
        }
        var settings = $"{config.MaxVerifyDepth} {config.AllowExpiredCertificate} {config.OnlyVerifyLeafCertCrl}\n{authorities.Path}\n{lists?.Path}";
        return Stores.Get(settings, [authorities.Bytes, lists?.Bytes], () =>
        {
            var trust = new TrustStore(config.MaxVerifyDepth, config.AllowExpiredCertificate);
            trust.AddAnchors(authorities.Bytes, authorities.Path);
            if (lists is not null)
            {
                trust.AddRevocationLists(lists.Bytes, lists.Path, config.OnlyVerifyLeafCertCrl);
            }
            return trust;
        });
    }

    private static SpiffeCertificateValidator CompileCustom(Config config, string name, MeshProxy.Xds.Protobuf.Any? typed)
    {
        if (typed is null || !typed.TryUnpack<SPIFFECertValidatorConfig>(out var spiffe))
        {
            throw new ConfigurationException(
                $"custom_validator_config: Didn't find a registered implementation for '{name}'; use {SpiffeValidator}.");
        }
        if (config.TrustedCa is not null || config.Crl is not null || config.VerifyCertificateHash.Count > 0
            || config.VerifyCertificateSpki.Count > 0 || config.MaxVerifyDepth is not null
            || config.TrustChainVerificationValue != Config.TrustChainVerification.VerifyTrustChain)
        {
            throw new ConfigurationException(
                $"{SpiffeValidator} uses its own trust bundles: leave trusted_ca, crl, hashes, max_verify_depth and trust_chain_verification out.");
        }
        return new SpiffeCertificateValidator(
            SpiffeBundles.Compile(spiffe, config.AllowExpiredCertificate), CompileNames(config));
    }

    private static List<SubjectAltNameMatcher> CompileNames(Config config)
    {
        var names = new List<SubjectAltNameMatcher>();
        foreach (var entry in config.MatchTypedSubjectAltNames)
        {
            names.Add(SubjectAltNameMatcher.Compile(entry, $"match_typed_subject_alt_names[{names.Count}]"));
        }
        // The typed list replaces the deprecated one (Envoy: CertificateValidationContextConfigImpl).
        if (names.Count == 0)
        {
            foreach (var entry in config.MatchSubjectAltNames)
            {
                names.Add(SubjectAltNameMatcher.CompileAnyKind(entry, $"match_subject_alt_names[{names.Count}]"));
            }
        }
        return names;
    }

    private static byte[] ReadHash(string text)
    {
        var digits = text.Length == (Sha256Bytes * 3) - 1 ? text.Replace(":", "", StringComparison.Ordinal) : text;
        try
        {
            return Convert.FromHexString(digits) is { Length: Sha256Bytes } hash ? hash : throw new FormatException();
        }
        catch (FormatException e)
        {
            throw new ConfigurationException($"Invalid hex-encoded SHA-256 {text}", e);
        }
    }

    private static byte[] ReadPublicKeyHash(string text)
    {
        try
        {
            return Convert.FromBase64String(text) is { Length: Sha256Bytes } hash ? hash : throw new FormatException();
        }
        catch (FormatException e)
        {
            throw new ConfigurationException($"Invalid base64-encoded SHA-256 {text}", e);
        }
    }

    private static void RefuseUnsupported(Config config)
    {
        if (config.RequireSignedCertificateTimestamp == true)
        {
            throw new ConfigurationException(
                "require_signed_certificate_timestamp is not supported, as in Envoy: leave it out or false.");
        }
        if (config.CaCertificateProviderInstance is not null)
        {
            throw new ConfigurationException("ca_certificate_provider_instance is not supported: use trusted_ca or SDS.");
        }
        if (config.SystemRootCertsValue is not null)
        {
            throw new ConfigurationException("system_root_certs is not supported: name the system's bundle in trusted_ca.");
        }
    }
}
