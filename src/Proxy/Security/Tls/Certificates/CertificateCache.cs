using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>
/// The certificates a loop met lately, read once: a mesh has few identities and many connections. One a thread, no locks.
/// </summary>
internal static unsafe class CertificateCache
{
    /// <summary>Certificates kept a loop; a certificate takes about 2 KB.</summary>
    private const int Capacity = 256;

    /// <summary>Certificates up to this size (4 KiB) are looked up without allocating.</summary>
    private const int StackBytes = 4096;

    [ThreadStatic]
    private static Dictionary<int, CertificateFacts>? t_known;

    /// <summary>Null when the certificate cannot be read.</summary>
    public static CertificateFacts? Find(nint certificate)
    {
        var length = LibCrypto.i2d_X509(certificate, null);
        if (length is <= 0 or > StackBytes)
        {
            return length <= 0 ? null : CertificateFacts.Read(certificate);
        }
        var start = stackalloc byte[StackBytes];
        var target = start;
        length = LibCrypto.i2d_X509(certificate, &target);
        var der = new ReadOnlySpan<byte>(start, length);
        var hash = default(HashCode);
        hash.AddBytes(der);
        var key = hash.ToHashCode();
        var known = t_known ??= [];
        if (known.TryGetValue(key, out var facts) && der.SequenceEqual(facts.Der))
        {
            return facts;
        }
        facts = CertificateFacts.Read(der.ToArray());
        if (facts is not null)
        {
            if (known.Count >= Capacity)
            {
                known.Clear();
            }
            known[key] = facts;
        }
        return facts;
    }
}
