using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace MeshProxy.Proxy.Network.Rbac;

/// <summary>envoy.filters.network.rbac: who may connect.</summary>
internal sealed class RbacNetworkFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.rbac";

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new RbacNetworkConfig
        {
            Rules = RbacRules.Compile(config.Rules, config.Matcher, config.ShadowRules, config.ShadowMatcher, context),
            Stats = new RbacStats(context.ServerScope, config.StatPrefix.TrimEnd('.') + ".", "", config.ShadowRulesStatPrefix, perPolicy: false),
            ShadowPrefix = config.ShadowRulesStatPrefix,
            Continuous = config.EnforcementTypeValue == Config.EnforcementType.Continuous,
            DenyDelay = config.DelayDeny ?? TimeSpan.Zero,
        };
    }
}

internal sealed class RbacNetworkConfig : INetworkFilterConfig
{
    public required RbacRules Rules { get; init; }

    public required RbacStats Stats { get; init; }

    /// <summary>shadow_rules_stat_prefix: of the shadow rules' metadata.</summary>
    public required string ShadowPrefix { get; init; }

    /// <summary>Decide at each arrival of bytes, not at the first only.</summary>
    public required bool Continuous { get; init; }

    /// <summary>How long a denied connection is kept silent before it is closed, to slow down who tries again.</summary>
    public required TimeSpan DenyDelay { get; init; }

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new RbacNetworkFilter(this));
}
