using System.Text;
using MeshProxy.Proxy.Http.Router;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtProvider;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>A token as found in a request.</summary>
/// <param name="Remove">Takes it out of the request, so that the application does not see it.</param>
internal readonly record struct FoundToken(string Text, Action<HeaderMap> Remove);

/// <summary>Where a provider's tokens are: headers, query parameters, cookies; without configuration Authorization and access_token.</summary>
internal sealed class JwtLocations
{
    private readonly (byte[] Name, byte[] Prefix)[] _headers;
    private readonly byte[][] _parameters;
    private readonly byte[][] _cookies;

    public JwtLocations(Config config)
    {
        _headers = [.. config.FromHeaders.Select(static h => (Ascii(h.Name.ToLowerInvariant()), Ascii(h.ValuePrefix)))];
        _parameters = [.. config.FromParams.Select(Ascii)];
        _cookies = [.. config.FromCookies.Select(Ascii)];
        if (_headers.Length + _parameters.Length + _cookies.Length == 0)
        {
            _headers = [(Ascii("authorization"), Ascii("Bearer "))];
            _parameters = [Ascii("access_token")];
        }
    }

    public void Extract(HeaderMap headers, List<FoundToken> found)
    {
        foreach (var (name, prefix) in _headers)
        {
            for (var i = headers.IndexOf(name, 0); i >= 0; i = headers.IndexOf(name, i + 1))
            {
                if (AfterPrefix(headers.Value(i), prefix) is { Length: > 0 } token)
                {
                    found.Add(new FoundToken(token, map => map.Remove(name)));
                }
            }
        }
        if (_parameters.Length > 0 && headers.TryGet(KnownHeader.Path, out var path) && path.IndexOf((byte)'?') is var query and >= 0)
        {
            foreach (var name in _parameters)
            {
                if (QueryString.TryGet(path[(query + 1)..], name, out var value) && !value.IsEmpty)
                {
                    found.Add(new FoundToken(Encoding.Latin1.GetString(value), map => QueryParameters.Remove(map, name)));
                }
            }
        }
        foreach (var name in _cookies)
        {
            if (Cookies.TryGet(headers, name, out var value) && !value.IsEmpty)
            {
                found.Add(new FoundToken(Encoding.Latin1.GetString(value), static _ => { }));
            }
        }
    }

    // The prefix may stand anywhere; blanks after it are skipped and the rest is the token (Envoy's extractor).
    private static string? AfterPrefix(ReadOnlySpan<byte> value, byte[] prefix)
    {
        var at = value.IndexOf(prefix);
        return at < 0 ? null : Encoding.Latin1.GetString(value[(at + prefix.Length)..].Trim((byte)' '));
    }

    private static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);
}
