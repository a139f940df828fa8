using System.Text.Json;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Trust bundles by trust domain: PEM files, or one JSON document of SPIFFE bundles (SPIFFE Trust Domain and Bundle 4).</summary>
internal static class SpiffeBundles
{
    public static IReadOnlyDictionary<string, TrustStore> Compile(SPIFFECertValidatorConfig config, bool allowExpired)
    {
        var bundles = new Dictionary<string, TrustStore>(StringComparer.Ordinal);
        if (config.TrustBundles is { } document)
        {
            var data = SecretData.Read(document, "trust_bundles")
                ?? throw new ConfigurationException("trust_bundles: Failed to load SPIFFE Bundle map: it is empty.");
            ReadDocument(data, allowExpired, bundles);
            return bundles;
        }
        foreach (var domain in config.TrustDomains)
        {
            if (domain.WorkloadTrustDomain.Length > 0)
            {
                throw new ConfigurationException("trust_domains.workload_trust_domain is not supported: leave it out.");
            }
            var data = SecretData.Read(domain.TrustBundle, "trust_bundle")
                ?? throw new ConfigurationException($"Failed to load trusted CA certificate for the trust domain {domain.Name}");
            var store = new TrustStore(null, allowExpired);
            store.AddAnchors(data.Bytes, data.Path);
            if (!bundles.TryAdd(domain.Name, store))
            {
                throw new ConfigurationException(
                    $"Multiple trust bundles are given for one trust domain for {domain.Name}");
            }
        }
        return bundles.Count > 0 ? bundles
            : throw new ConfigurationException("SPIFFE cert validator requires at least one trust domain");
    }

    private static void ReadDocument(SecretData data, bool allowExpired, Dictionary<string, TrustStore> bundles)
    {
        try
        {
            using var document = JsonDocument.Parse(data.Bytes);
            foreach (var domain in document.RootElement.GetProperty("trust_domains").EnumerateObject())
            {
                var store = new TrustStore(null, allowExpired);
                foreach (var key in domain.Value.GetProperty("keys").EnumerateArray())
                {
                    // Keys of other uses (jwt-svid) are for tokens, not for certificates.
                    if (key.GetProperty("use").GetString() == "x509-svid")
                    {
                        store.AddAnchor(Convert.FromBase64String(key.GetProperty("x5c")[0].GetString() ?? ""), data.Path);
                    }
                }
                bundles[domain.Name] = store;
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException
            or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new ConfigurationException($"Failed to load SPIFFE Bundle map from '{data.Path}': {e.Message}", e);
        }
        if (bundles.Count == 0)
        {
            throw new ConfigurationException($"Failed to load SPIFFE Bundle map from '{data.Path}': it has no trust_domains.");
        }
    }
}
