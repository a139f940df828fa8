using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Native;
using Config = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Versions, ciphers, groups and signature algorithms of a context, in OpenSSL's spelling.</summary>
internal sealed record TlsParameters
{
    /// <summary>Envoy's defaults in BoringSSL: ECDHE with AEAD ciphers; brackets are groups of equal preference.</summary>
    private static readonly string[] DefaultCiphers =
    [
        "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
        "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ];

    private const string DefaultGroups = "X25519:P-256";

    /// <summary>BoringSSL's verification preferences, which OpenSSL's own defaults at level 0 are wider than.</summary>
    private const string DefaultSignatureAlgorithms =
        "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:RSA+SHA256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha384:RSA+SHA384"
        + ":ecdsa_secp521r1_sha512:rsa_pss_rsae_sha512:RSA+SHA512:ed25519:RSA+SHA1";

    /// <summary>TLS 1.2 and older names that BoringSSL knows; OpenSSL knows more, and Envoy refuses those.</summary>
    private static readonly HashSet<string> KnownCiphers = new(StringComparer.Ordinal)
    {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
        "ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
    };

    private static readonly HashSet<string> KnownGroups = new(StringComparer.Ordinal)
    {
        "X25519", "P-256", "P-384", "P-521", "X25519MLKEM768",
    };

    public required int MinimumVersion { get; init; }

    public required int MaximumVersion { get; init; }

    public required string Ciphers { get; init; }

    /// <summary>A client that prefers ChaCha20 gets it: what a group of equal preference with it means.</summary>
    public bool PrioritizeChaCha { get; private init; }

    public required string Groups { get; init; }

    public required string SignatureAlgorithms { get; init; }

    /// <param name="config">tls_params; null is all defaults.</param>
    /// <param name="defaultMaximum">TLS 1.3 for servers, 1.2 for clients (Envoy's defaults).</param>
    public static TlsParameters Compile(Config? config, int defaultMaximum)
    {
        var ciphers = config is { } c && c.CipherSuites.Count > 0 ? [.. c.CipherSuites] : DefaultCiphers;
        var names = SplitCiphers(ciphers);
        if (config is { CompliancePolicies.Count: > 0 })
        {
            throw new ConfigurationException("tls_params.compliance_policies is not supported: list the ciphers and curves instead.");
        }
        return new TlsParameters
        {
            MinimumVersion = Version(config?.TlsMinimumProtocolVersion ?? Config.TlsProtocol.TlsAuto, OpenSslConstants.Tls12),
            MaximumVersion = Version(config?.TlsMaximumProtocolVersion ?? Config.TlsProtocol.TlsAuto, defaultMaximum),
            Ciphers = string.Join(':', names),
            PrioritizeChaCha = ciphers.Any(static g => g.StartsWith('[') && g.Contains("CHACHA20", StringComparison.Ordinal)),
            Groups = config is { } g && g.EcdhCurves.Count > 0 ? JoinGroups(g.EcdhCurves) : DefaultGroups,
            SignatureAlgorithms = config is { } s && s.SignatureAlgorithms.Count > 0
                ? string.Join(':', s.SignatureAlgorithms.Select(OpenSslName)) : DefaultSignatureAlgorithms,
        };
    }

    private static List<string> SplitCiphers(IEnumerable<string> entries)
    {
        var all = string.Join(':', entries);
        var names = new List<string>();
        foreach (var name in all.Split([':', '[', ']', '|'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!KnownCiphers.Contains(name))
            {
                throw new ConfigurationException(
                    $"Failed to initialize cipher suites {all}. The following ciphers were rejected when tried individually: {name}");
            }
            names.Add(name);
        }
        return names;
    }

    private static string JoinGroups(IEnumerable<string> groups)
    {
        var all = string.Join(':', groups);
        foreach (var group in groups)
        {
            if (!KnownGroups.Contains(group))
            {
                throw new ConfigurationException($"Failed to initialize ECDH curves {all}");
            }
        }
        return all;
    }

    // OpenSSL 3.0 has no rsa_pkcs1_ names in its list parser.
    private static string OpenSslName(string algorithm) => algorithm switch
    {
        "rsa_pkcs1_sha1" => "RSA+SHA1",
        "rsa_pkcs1_sha256" => "RSA+SHA256",
        "rsa_pkcs1_sha384" => "RSA+SHA384",
        "rsa_pkcs1_sha512" => "RSA+SHA512",
        "ecdsa_sha1" => "ECDSA+SHA1",
        _ => algorithm,
    };

    private static int Version(Config.TlsProtocol version, int automatic) => version switch
    {
        Config.TlsProtocol.Tlsv10 => OpenSslConstants.Tls10,
        Config.TlsProtocol.Tlsv11 => OpenSslConstants.Tls11,
        Config.TlsProtocol.Tlsv12 => OpenSslConstants.Tls12,
        Config.TlsProtocol.Tlsv13 => OpenSslConstants.Tls13,
        _ => automatic,
    };
}
