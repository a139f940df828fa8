using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>
/// What was made of some bytes, as long as somebody uses it: thousands of contexts of a mesh have one certificate and one set
/// of roots, which are read once.
/// </summary>
internal sealed class Shared<T>
    where T : class
{
    /// <summary>Entries before those nobody uses are swept out.</summary>
    private const int SweepAt = 256;

    private readonly ConcurrentDictionary<string, WeakReference<T>> _known = new(StringComparer.Ordinal);

    /// <param name="settings">What counts beside the bytes.</param>
    /// <param name="parts">The bytes it is made of; null is none.</param>
    /// <param name="make">Makes it, when nobody has.</param>
    public T Get(string settings, ReadOnlySpan<byte[]?> parts, Func<T> make)
    {
        var key = KeyOf(settings, parts);
        if (_known.TryGetValue(key, out var reference) && reference.TryGetTarget(out var known))
        {
            return known;
        }
        var made = make();
        if (_known.Count >= SweepAt)
        {
            Sweep();
        }
        _known[key] = new WeakReference<T>(made);
        return made;
    }

    private void Sweep()
    {
        foreach (var (key, reference) in _known)
        {
            if (!reference.TryGetTarget(out _))
            {
                _known.TryRemove(key, out _);
            }
        }
    }

    // Keys are part of what is hashed: a digest tells contents apart, and does not keep them.
    private static string KeyOf(string settings, ReadOnlySpan<byte[]?> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(settings));
        foreach (var part in parts)
        {
            hash.AppendData(BitConverter.GetBytes(part?.Length ?? -1));
            hash.AppendData(part ?? []);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
