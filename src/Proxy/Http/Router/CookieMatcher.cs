using System.Text;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.CookieMatcher: an absent cookie is a "no" that inversion turns into a "yes".</summary>
internal sealed class CookieMatcher(Envoy.Config.Route.V3.CookieMatcher config, string field)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(config.Name);
    private readonly StringMatcher? _value =
        config.StringMatch is { } match ? StringMatcher.Compile(match, $"{field}.string_match") : null;
    private readonly bool _invert = config.InvertMatch;

    public bool Match(HeaderMap headers)
    {
        var found = Cookies.TryGet(headers, _name, out var value);
        return (found && (_value is null || _value.Match(value))) != _invert;
    }
}
