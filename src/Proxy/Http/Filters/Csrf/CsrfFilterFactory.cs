using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Csrf.V3.CsrfPolicy;

namespace MeshProxy.Proxy.Http.Filters.Csrf;

/// <summary>envoy.filters.http.csrf: requests that change something must come from the site's own pages.</summary>
internal sealed class CsrfFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.csrf";

    public string PerRouteConfigType => Config.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) =>
        new Compiled(new CsrfPolicy(Config.From(config), context.Runtime), new CsrfStats(context.ServerScope.Scope($"{statPrefix}csrf")));

    public object CompilePerRoute(Message config, FactoryContext context) => new CsrfPolicy(Config.From(config), context.Runtime);

    private sealed class Compiled(CsrfPolicy policy, CsrfStats stats) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new CsrfFilter(policy, stats));
    }
}

internal sealed class CsrfStats(IStatsScope scope)
{
    public Counter Missing { get; } = scope.Counter("missing_source_origin");

    public Counter Invalid { get; } = scope.Counter("request_invalid");

    public Counter Valid { get; } = scope.Counter("request_valid");
}

internal sealed class CsrfPolicy
{
    private readonly FractionalPercent _enabled;
    private readonly FractionalPercent? _shadow;
    private readonly StringMatcher[] _origins;

    public CsrfPolicy(Config config, IRuntime runtime)
    {
        _enabled = new FractionalPercent(
            config.FilterEnabled ?? throw new ConfigurationException("csrf.filter_enabled is required."), runtime);
        _shadow = config.ShadowEnabled is { } shadow ? new FractionalPercent(shadow, runtime) : null;
        _origins = new StringMatcher[config.AdditionalOrigins.Count];
        for (var i = 0; i < _origins.Length; i++)
        {
            _origins[i] = StringMatcher.Compile(config.AdditionalOrigins[i], $"csrf.additional_origins[{i}]");
        }
    }

    public bool Enabled(ulong random) => _enabled.Takes(random);

    public bool ShadowEnabled(ulong random) => _shadow?.Takes(random) ?? false;

    public bool AllowsAlso(ReadOnlySpan<byte> origin)
    {
        foreach (var matcher in _origins)
        {
            if (matcher.Match(origin))
            {
                return true;
            }
        }
        return false;
    }
}
