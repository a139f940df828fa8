using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.RouteMatch;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.RouteMatch; all its conditions must hold.</summary>
internal sealed partial class RouteMatch
{
    private readonly FractionalPercent? _fraction;
    private readonly bool _grpc;
    private readonly HeaderMatcher[] _headers;
    private readonly QueryParameterMatcher[] _query;
    private readonly CookieMatcher[] _cookies;
    private readonly bool? _presented;
    private readonly bool? _validated;
    private readonly MetadataMatcher[] _metadata;
    private readonly FilterStateMatcher[] _filterState;

    private RouteMatch(Config config, PathSpecifier path, FactoryContext context, string field)
    {
        Definition = config;
        Path = path;
        _fraction = config.RuntimeFraction is { } fraction ? new FractionalPercent(fraction, context.Runtime) : null;
        _grpc = config.Grpc is not null;
        _headers = HeaderMatcher.CompileAll(config.Headers, $"{field}.headers");
        _query = Each(config.QueryParameters, (one, name) => new QueryParameterMatcher(one, name), $"{field}.query_parameters");
        _cookies = Each(config.Cookies, (one, name) => new CookieMatcher(one, name), $"{field}.cookies");
        _presented = config.TlsContext?.Presented;
        _validated = config.TlsContext?.Validated;
        _metadata = Each(config.DynamicMetadata, (one, name) => new MetadataMatcher(one, name), $"{field}.dynamic_metadata");
        _filterState = Each(config.FilterState, (one, name) => new FilterStateMatcher(one, name), $"{field}.filter_state");
    }

    public PathSpecifier Path { get; }

    /// <summary>As it came.</summary>
    public Config Definition { get; }

    public static RouteMatch Compile(Config config, FactoryContext context, string field) =>
        new(config, PathOf(config, field), context, field);

    public static RouteMatch Everything { get; } = new(Config.New(), new PathSpecifier.Any());

    private RouteMatch(Config config, PathSpecifier path)
    {
        Definition = config;
        Path = path;
        _grpc = config.Grpc is not null;
        _headers = [];
        _query = [];
        _cookies = [];
        _metadata = [];
        _filterState = [];
    }

    public bool Matches(in RouteRequest request)
    {
        if (!request.HasPath && !Path.SupportsPathless)
        {
            return false;
        }
        // The path decides most often, so it is asked first; the order shows in nothing but time.
        return Path.Match(request)
            && (_fraction is null || _fraction.Takes(request.Random))
            && (!_grpc || GrpcCommon.IsGrpcRequest(request.Headers))
            && HeaderMatcher.MatchAll(_headers, request.Headers)
            && MatchesQuery(request.Query)
            && MatchesCookies(request.Headers)
            && MatchesTls(request.StreamInfo)
            && MatchesState(request.StreamInfo);
    }

    private bool MatchesQuery(ReadOnlySpan<byte> query)
    {
        foreach (var matcher in _query)
        {
            if (!matcher.Match(query))
            {
                return false;
            }
        }
        return true;
    }

    private bool MatchesCookies(HeaderMap headers)
    {
        foreach (var matcher in _cookies)
        {
            if (!matcher.Match(headers))
            {
                return false;
            }
        }
        return true;
    }

    private bool MatchesTls(StreamInfo info)
    {
        if (_presented is null && _validated is null)
        {
            return true;
        }
        return (_presented is not { } presented || presented == (info.DownstreamTls?.PeerCertificatePresented ?? false))
            && (_validated is not { } validated || validated == (info.DownstreamTls?.PeerCertificateValidated ?? false));
    }

    private bool MatchesState(StreamInfo info)
    {
        foreach (var matcher in _metadata)
        {
            if (!matcher.Match(info.DynamicMetadata))
            {
                return false;
            }
        }
        foreach (var matcher in _filterState)
        {
            if (!matcher.Match(info.KnownFilterState))
            {
                return false;
            }
        }
        return true;
    }

    private static TTo[] Each<TFrom, TTo>(IReadOnlyList<TFrom> configs, Func<TFrom, string, TTo> compile, string field)
    {
        var compiled = new TTo[configs.Count];
        for (var i = 0; i < compiled.Length; i++)
        {
            compiled[i] = compile(configs[i], $"{field}[{i}]");
        }
        return compiled;
    }

    private static PathSpecifier PathOf(Config config, string field)
    {
        var caseSensitive = config.CaseSensitive ?? true;
        return config.PathSpecifierCase switch
        {
            Config.PathSpecifierOneofCase.Prefix => new PathSpecifier.Prefix(config.Prefix, caseSensitive),
            Config.PathSpecifierOneofCase.Path => new PathSpecifier.Exact(config.Path, caseSensitive),
            Config.PathSpecifierOneofCase.PathSeparatedPrefix =>
                new PathSpecifier.SeparatedPrefix(config.PathSeparatedPrefix, caseSensitive),
            Config.PathSpecifierOneofCase.SafeRegex =>
                new PathSpecifier.Regex(Re2Regex.Compile(config.SafeRegex!.Value.Regex, $"{field}.safe_regex")),
            Config.PathSpecifierOneofCase.ConnectMatcherValue => new PathSpecifier.Connect(),
            Config.PathSpecifierOneofCase.PathMatchPolicy => TemplateOf(config, $"{field}.path_match_policy"),
            _ => throw new ConfigurationException($"{field}: no path specifier is set; set prefix, path or another."),
        };
    }

    private static PathSpecifier.Template TemplateOf(Config config, string field)
    {
        var any = config.PathMatchPolicy!.Value.TypedConfig;
        if (any is null || !any.TryUnpack<Envoy.Extensions.Path.Match.UriTemplate.V3.UriTemplateMatchConfig>(out var policy))
        {
            throw new ConfigurationException(
                $"{field}: '{config.PathMatchPolicy!.Value.Name}' is no known path match policy; use envoy.path.match.uri_template.uri_template_matcher.");
        }
        return new PathSpecifier.Template(UriTemplate.Parse(policy.PathTemplate, $"{field}.path_template"));
    }
}
