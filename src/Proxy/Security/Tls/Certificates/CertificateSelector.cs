namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>
/// Chooses among several certificates of a server, as Envoy: by the exact server name, by a wildcard for its first label,
/// else (or without a name, or with full scan) the first that fits the client; ECDSA where the client can verify it.
/// </summary>
internal sealed class CertificateSelector
{
    private readonly IReadOnlyList<ServedCertificate> _certificates;
    private readonly bool _fullScan;

    // Wildcards without their star: ".example.com".
    private readonly Dictionary<string, List<ServedCertificate>> _byName = new(StringComparer.Ordinal);

    public CertificateSelector(IReadOnlyList<ServedCertificate> certificates, bool fullScan)
    {
        _certificates = certificates;
        _fullScan = fullScan;
        foreach (var certificate in certificates)
        {
            foreach (var name in certificate.ServerNames)
            {
                var key = name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name;
                if (!_byName.TryGetValue(key, out var list))
                {
                    _byName[key] = list = [];
                }
                // Of two with the same name and key type the first is shown.
                if (!list.Exists(c => c.KeyType == certificate.KeyType))
                {
                    list.Add(certificate);
                }
            }
        }
    }

    public ServedCertificate Select(in ClientHello hello)
    {
        var name = hello.ServerName;
        if (name.Length > 0)
        {
            if (_byName.TryGetValue(name, out var exact) && Fitting(exact, hello) is { } found)
            {
                return found;
            }
            var dot = name.IndexOf('.', 1);
            if (dot > 0 && _byName.TryGetValue(name[dot..], out var wildcard) && Fitting(wildcard, hello) is { } covered)
            {
                return covered;
            }
        }
        return (name.Length == 0 || _fullScan ? Fitting(_certificates, hello) : null) ?? _certificates[0];
    }

    private static ServedCertificate? Fitting(IReadOnlyList<ServedCertificate> certificates, in ClientHello hello)
    {
        ServedCertificate? other = null;
        foreach (var certificate in certificates)
        {
            if (!certificate.IsEcdsa)
            {
                other ??= certificate;
            }
            else if (hello.AcceptsEcdsa(certificate.KeyBits))
            {
                return certificate;
            }
        }
        return other;
    }
}
