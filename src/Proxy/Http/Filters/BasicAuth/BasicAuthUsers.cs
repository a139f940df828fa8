using System.Security.Cryptography;
using System.Text;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Filters.BasicAuth;

/// <summary>Users of an htpasswd text; only the {SHA} form, as in Envoy.</summary>
internal sealed class BasicAuthUsers
{
    private const string Scheme = "{SHA}";

    private readonly Dictionary<string, byte[]> _hashes = new(StringComparer.Ordinal);

    public BasicAuthUsers(string htpasswd, string realm)
    {
        Realm = realm;
        foreach (var line in htpasswd.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith('#'))
            {
                continue;
            }
            var colon = line.IndexOf(':');
            if (colon <= 0)
            {
                throw new ConfigurationException("basic auth: invalid htpasswd format, username:password is expected");
            }
            var (name, hash) = (line[..colon], line[(colon + 1)..]);
            if (!hash.StartsWith(Scheme, StringComparison.Ordinal))
            {
                throw new ConfigurationException("basic auth: unsupported htpasswd format: please use {SHA}");
            }
            if (!_hashes.TryAdd(name, Encoding.ASCII.GetBytes(hash[Scheme.Length..])))
            {
                throw new ConfigurationException("basic auth: duplicate users");
            }
        }
    }

    /// <summary>Shown in the challenge; empty shows the request's own URI.</summary>
    public string Realm { get; }

#pragma warning disable CA5350 // The htpasswd form that Envoy reads; stronger ones are refused by its interface.
    public bool Validate(string name, string password) => _hashes.TryGetValue(name, out var expected)
        && CryptographicOperations.FixedTimeEquals(
            expected, Encoding.ASCII.GetBytes(Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(password)))));
#pragma warning restore CA5350
}
