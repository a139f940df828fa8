using System.Collections.Concurrent;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Names of cipher suites, made once each.</summary>
internal static class CipherNames
{
    private static readonly ConcurrentDictionary<ushort, string> Names = new();

    public static string Find(ushort id, nint cipher) => Names.TryGetValue(id, out var name)
        ? name : Names.GetOrAdd(id, OpenSsl.Text(LibSsl.SSL_CIPHER_get_name(cipher)));
}
