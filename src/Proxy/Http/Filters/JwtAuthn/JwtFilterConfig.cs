using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtAuthentication;
using Rule = Envoy.Extensions.Filters.Http.JwtAuthn.V3.RequirementRule;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>A compiled jwt_authn filter: providers, and what is required where.</summary>
internal sealed class JwtFilterConfig : IHttpFilterConfig
{
    private readonly List<(RouteMatch Match, JwtRequirement? Requirement)> _rules = [];
    private readonly Dictionary<string, JwtRequirement?> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JwtRequirement?> _byState = new(StringComparer.Ordinal);
    private readonly string _stateKey;

    public JwtFilterConfig(Config config, FactoryContext context, JwtStats stats)
    {
        Stats = stats;
        BypassPreflight = config.BypassCorsPreflight;
        StripFailure = config.StripFailureResponse;
        var providers = new Dictionary<string, JwtProvider>(StringComparer.Ordinal);
        foreach (var (name, provider) in config.Providers.OrderBy(static p => p.Key, StringComparer.Ordinal))
        {
            providers[name] = new JwtProvider(name, provider, context, stats);
        }
        Providers = [.. providers.Values];
        foreach (var (name, requirement) in config.RequirementMap)
        {
            _named[name] = JwtRequirement.Compile(requirement, providers);
        }
        foreach (var rule in config.Rules)
        {
            var match = RouteMatch.Compile(
                rule.Match ?? throw new ConfigurationException("jwt_authn.rules: match is required."), context, "jwt_authn.rules.match");
            _rules.Add((match, RequirementOf(rule, providers)));
        }
        _stateKey = config.FilterStateRules?.Name ?? "";
        if (config.FilterStateRules is { } rules)
        {
            foreach (var (value, requirement) in rules.Requires)
            {
                _byState[value] = JwtRequirement.Compile(requirement, providers);
            }
        }
    }

    public JwtStats Stats { get; }

    public IReadOnlyList<JwtProvider> Providers { get; }

    public bool BypassPreflight { get; }

    public bool StripFailure { get; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new JwtFilter(this));

    /// <summary>False when there is no requirement of that name.</summary>
    public bool TryFindNamed(string name, out JwtRequirement? requirement) => _named.TryGetValue(name, out requirement);

    public string Names => string.Join(',', _named.Keys.Order(StringComparer.Ordinal));

    /// <summary>Of the first rule that matches, else of the filter state; null when nothing is required.</summary>
    public JwtRequirement? Find(HeaderMap headers, Observability.StreamInfo info)
    {
        var request = new RouteRequest(headers, info, info.StreamId, ignorePathParameters: false);
        foreach (var (match, requirement) in _rules)
        {
            if (match.Matches(request))
            {
                return requirement;
            }
        }
        return _stateKey.Length > 0 && info.FilterState.Get(_stateKey)?.SerializeAsString() is { } value
            ? _byState.GetValueOrDefault(value) : null;
    }

    private JwtRequirement? RequirementOf(Rule rule, Dictionary<string, JwtProvider> providers) => rule.RequirementTypeCase switch
    {
        Rule.RequirementTypeOneofCase.Requires => JwtRequirement.Compile(rule.Requires!.Value, providers),
        Rule.RequirementTypeOneofCase.RequirementName => _named.TryGetValue(rule.RequirementName, out var known) ? known
            : throw new ConfigurationException($"Wrong requirement_name: {rule.RequirementName}. It should be one of [{Names}]"),
        _ => null,
    };
}
