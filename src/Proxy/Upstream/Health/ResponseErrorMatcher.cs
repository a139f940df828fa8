using Envoy.Config.Common.Matcher.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HttpProtocolOptions.outlier_detection.error_matcher: says by a response's headers whether it counts as an error.</summary>
internal sealed class ResponseErrorMatcher
{
    private readonly Func<HeaderMap, bool> _matches;

    private ResponseErrorMatcher(Func<HeaderMap, bool> matches) => _matches = matches;

    public static ResponseErrorMatcher Compile(MatchPredicate config, string field) => new(CompileRule(config, field));

    /// <summary>What is reported in place of the status: outlier detection tells only 500 and above from the rest.</summary>
    public int CodeOf(HeaderMap response) => _matches(response) ? 500 : 200;

    private static Func<HeaderMap, bool> CompileRule(MatchPredicate config, string field)
    {
        switch (config.RuleCase)
        {
            case MatchPredicate.RuleOneofCase.OrMatch:
                var any = CompileAll(config.OrMatch!.Value.Rules, $"{field}.or_match");
                return response => Array.Exists(any, rule => rule(response));
            case MatchPredicate.RuleOneofCase.AndMatch:
                var all = CompileAll(config.AndMatch!.Value.Rules, $"{field}.and_match");
                return response => Array.TrueForAll(all, rule => rule(response));
            case MatchPredicate.RuleOneofCase.NotMatch:
                var denied = CompileRule(config.NotMatch!.Value, $"{field}.not_match");
                return response => !denied(response);
            case MatchPredicate.RuleOneofCase.AnyMatch:
                return static _ => true;
            case MatchPredicate.RuleOneofCase.HttpResponseHeadersMatch:
                var headers = HeaderMatcher.CompileAll(config.HttpResponseHeadersMatch!.Value.Headers, $"{field}.http_response_headers_match");
                return response => Array.TrueForAll(headers, header => header.Match(response));
            case MatchPredicate.RuleOneofCase.None:
                throw new ConfigurationException($"{field}: no rule is set; set http_response_headers_match.");
            default:
                // Nothing but the response's headers is shown to it.
                return static _ => false;
        }
    }

    private static Func<HeaderMap, bool>[] CompileAll(IReadOnlyList<MatchPredicate> configs, string field)
    {
        var rules = new Func<HeaderMap, bool>[configs.Count];
        for (var i = 0; i < rules.Length; i++)
        {
            rules[i] = CompileRule(configs[i], $"{field}[{i}]");
        }
        return rules;
    }
}
