using System.Text;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>core.v3.HttpUri cut into what a request needs.</summary>
internal static class HttpUriParts
{
    public static (byte[] Scheme, byte[] Host, byte[] Path) Split(string uri)
    {
        var colon = uri.IndexOf("://", StringComparison.Ordinal);
        if (colon <= 0)
        {
            throw new ConfigurationException($"'{uri}' is not a URI like http://host/path.");
        }
        var rest = uri[(colon + 3)..];
        var slash = rest.IndexOf('/');
        return (Encoding.ASCII.GetBytes(uri[..colon]), Encoding.ASCII.GetBytes(slash < 0 ? rest : rest[..slash]),
            Encoding.ASCII.GetBytes(slash < 0 ? "/" : rest[slash..]));
    }
}
