using Envoy.Extensions.Filters.Http.Rbac.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace MeshProxy.Proxy.Http.Filters.Rbac;

/// <summary>envoy.filters.http.rbac: who may send which requests.</summary>
internal sealed class RbacFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.rbac";

    public string PerRouteConfigType => RBACPerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var stats = new RbacStats(context.ServerScope, statPrefix, config.RulesStatPrefix, config.ShadowRulesStatPrefix,
            config.TrackPerRuleStats);
        return new RbacFilterConfig(CompileRules(config, context), stats);
    }

    public object CompilePerRoute(Message message, FactoryContext context) =>
        RBACPerRoute.From(message).Rbac is { } own ? CompileRules(own, context) : RbacRouteRules.Off;

    private static RbacRouteRules CompileRules(Config config, FactoryContext context) => new(
        RbacRules.Compile(config.Rules, config.Matcher, config.ShadowRules, config.ShadowMatcher, context),
        config.RulesStatPrefix, config.ShadowRulesStatPrefix);
}

/// <summary>Rules of the filter, or of a route in their place, with the prefixes of their metadata.</summary>
internal sealed record RbacRouteRules(RbacRules Rules, string Prefix, string ShadowPrefix)
{
    public static readonly RbacRouteRules Off = new(new RbacRules(null, null), "", "");
}

internal sealed class RbacFilterConfig(RbacRouteRules rules, RbacStats stats) : IHttpFilterConfig
{
    public RbacRouteRules Rules { get; } = rules;

    public RbacStats Stats { get; } = stats;

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new RbacFilter(this));
}
