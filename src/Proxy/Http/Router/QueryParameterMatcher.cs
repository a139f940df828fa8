using System.Text;
using MeshProxy.Proxy.Matching;
using Config = Envoy.Config.Route.V3.QueryParameterMatcher;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.QueryParameterMatcher; without a kind of match the parameter must be there.</summary>
public sealed class QueryParameterMatcher
{
    private readonly byte[] _name;
    private readonly bool _present = true;
    private readonly StringMatcher? _value;

    public QueryParameterMatcher(Config config, string field)
    {
        _name = Encoding.UTF8.GetBytes(config.Name);
        switch (config.QueryParameterMatchSpecifierCase)
        {
            case Config.QueryParameterMatchSpecifierOneofCase.StringMatch:
                _value = StringMatcher.Compile(config.StringMatch!.Value, $"{field}.string_match");
                break;
            case Config.QueryParameterMatchSpecifierOneofCase.PresentMatch:
                _present = config.PresentMatch;
                break;
        }
    }

    /// <param name="query">Without the question mark.</param>
    public bool Match(ReadOnlySpan<byte> query)
    {
        var found = QueryString.TryGet(query, _name, out var value);
        return _value is null ? found == _present : found && _value.Match(value);
    }
}
