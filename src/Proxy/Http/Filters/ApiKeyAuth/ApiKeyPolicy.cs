using System.Security.Cryptography;
using System.Text;
using Envoy.Extensions.Filters.Http.ApiKeyAuth.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters.ApiKeyAuth;

/// <summary>Keys, where they are in a request, and what is passed on; of the filter, or of a route in its place part by part.</summary>
internal sealed class ApiKeyPolicy
{
    // By digest: how long a comparison takes tells nothing of a key.
    private readonly Dictionary<string, string> _clients = new(StringComparer.Ordinal);
    private readonly Source[] _sources;
    private readonly HashSet<string> _allowed;

    public ApiKeyPolicy(
        MessageList<Credential> credentials, MessageList<KeySource> sources, Forwarding? forwarding, IEnumerable<string> allowed)
    {
        foreach (var credential in credentials)
        {
            if (!_clients.TryAdd(Digest(credential.Key), credential.Client))
            {
                throw new ConfigurationException($"Duplicated API key in the credentials: the client '{credential.Client}' has a key that is given twice.");
            }
        }
        _sources = [.. sources.Select(static s => new Source(s))];
        _allowed = new HashSet<string>(allowed, StringComparer.Ordinal);
        ForwardHeader = forwarding is { } given ? Encoding.ASCII.GetBytes(given.Header.ToLowerInvariant()) : null;
        HideCredentials = forwarding?.HideCredentials ?? false;
    }

    public bool HasKeys => _clients.Count > 0;

    public bool HasSources => _sources.Length > 0;

    /// <summary>Null: nothing is said of forwarding; empty: no header.</summary>
    public byte[]? ForwardHeader { get; }

    public bool HideCredentials { get; }

    public string? Find(string key) => _clients.GetValueOrDefault(Digest(key));

    public bool Allows(string client) => _allowed.Count == 0 || _allowed.Contains(client);

    /// <summary>The first source that holds anything decides.</summary>
    public string? Extract(HeaderMap headers)
    {
        foreach (var source in _sources)
        {
            if (source.Extract(headers) is { Length: > 0 } key)
            {
                return key;
            }
        }
        return null;
    }

    public void Hide(HeaderMap headers)
    {
        foreach (var source in _sources)
        {
            source.Hide(headers);
        }
    }

    private static string Digest(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private sealed class Source(KeySource config)
    {
        private const string Bearer = "Bearer ";

        private readonly byte[] _header = Encoding.ASCII.GetBytes(config.Header.ToLowerInvariant());
        private readonly byte[] _query = Encoding.UTF8.GetBytes(config.Query);
        private readonly byte[] _cookie = Encoding.ASCII.GetBytes(config.Cookie);

        public string? Extract(HeaderMap headers)
        {
            if (_header.Length > 0)
            {
                var value = headers.GetString(_header);
                return value is not null && value.StartsWith(Bearer, StringComparison.Ordinal) ? value[Bearer.Length..] : value;
            }
            if (_query.Length > 0)
            {
                return headers.TryGet(KnownHeader.Path, out var path) && path.IndexOf((byte)'?') is var at and >= 0
                    && QueryString.TryGet(path[(at + 1)..], _query, out var parameter) ? Encoding.UTF8.GetString(parameter) : null;
            }
            return _cookie.Length > 0 && Cookies.TryGet(headers, _cookie, out var cookie) ? Encoding.UTF8.GetString(cookie) : null;
        }

        public void Hide(HeaderMap headers)
        {
            if (_header.Length > 0)
            {
                headers.Remove(_header);
            }
            else if (_query.Length > 0)
            {
                QueryParameters.Remove(headers, _query);
            }
            else if (_cookie.Length > 0)
            {
                HideCookie(headers);
            }
        }

        private void HideCookie(HeaderMap headers)
        {
            if (headers.GetString(KnownHeader.Cookie) is not { } all)
            {
                return;
            }
            var name = Encoding.ASCII.GetString(_cookie) + "=";
            var kept = string.Join("; ", all.Split(';', StringSplitOptions.TrimEntries).Where(c => !c.StartsWith(name, StringComparison.Ordinal)));
            if (kept.Length == 0)
            {
                headers.Remove(KnownHeader.Cookie);
                return;
            }
            headers.Set(KnownHeader.Cookie, kept);
        }
    }
}
