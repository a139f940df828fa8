using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network.Sockets;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.ProxyProtocol.V3.ProxyProtocol;
using Encoding = Envoy.Extensions.Filters.Listener.ProxyProtocol.V3.ProxyProtocol.KeyValuePair.ValueStringEncoding;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.proxy_protocol: takes the client's addresses from a PROXY header before the connection's bytes.</summary>
internal sealed class ProxyProtocolFactory : IListenerFilterFactory
{
    private const string DefaultNamespace = "envoy.filters.listener.proxy_protocol";

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.proxy_protocol";

    public IListenerFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        var v1 = true;
        var v2 = true;
        foreach (var version in config.DisallowedVersions)
        {
            v1 &= version != Envoy.Config.Core.V3.ProxyProtocolConfig.Version.V1;
            v2 &= version != Envoy.Config.Core.V3.ProxyProtocolConfig.Version.V2;
        }
        if (!v1 && !v2)
        {
            throw new ConfigurationException("proxy_protocol: disallowed_versions leaves no version; allow V1 or V2.");
        }
        var prefix = config.StatPrefix.Length > 0 ? $"proxy_proto.{config.StatPrefix}" : "proxy_proto";
        return new ProxyProtocolConfig(
            v1, v2, config.AllowRequestsWithoutProxyProtocol, Rules(config), ProxyProtocolUpstreamFactory.PassedOn(config.PassThroughTlvs),
            config.TlvLocationValue == Config.TlvLocation.FilterState,
            context.ServerScope.Scope(prefix).Block(ProxyProtocolConfig.Layout));
    }

    private static List<TlvRule> Rules(Config config)
    {
        var rules = new List<TlvRule>();
        foreach (var rule in config.Rules)
        {
            if (rule.OnTlvPresent is { } target)
            {
                rules.Add(new TlvRule(
                    (byte)rule.TlvType, target.MetadataNamespace.Length > 0 ? target.MetadataNamespace : DefaultNamespace,
                    target.Key, target.ValueStringEncodingValue == Encoding.Base64));
            }
        }
        return rules;
    }
}

/// <summary>A TLV that becomes metadata.</summary>
internal sealed record TlvRule(byte Type, string Namespace, string Key, bool Base64);

/// <summary>Compiled; shared by all connections.</summary>
/// <param name="PassedOn">Which TLVs are kept for a header upstream; null keeps none.</param>
/// <param name="IntoFilterState">TLVs of <paramref name="Rules"/> go into filter state instead of dynamic metadata.</param>
internal sealed record ProxyProtocolConfig(
    bool AllowV1, bool AllowV2, bool Optional, IReadOnlyList<TlvRule> Rules, Func<byte, bool>? PassedOn, bool IntoFilterState, StatBlock Stats)
    : IListenerFilterConfig
{
    public const int NotFoundDisallowed = 0;
    public const int NotFoundAllowed = 1;
    public const int V1Found = 2;
    public const int V1Disallowed = 3;
    public const int V1Error = 4;
    public const int V2Found = 5;
    public const int V2Disallowed = 6;
    public const int V2Error = 7;

    public static readonly StatBlockLayout Layout = new(
    [
        ("not_found_disallowed", StatKind.Counter),
        ("not_found_allowed", StatKind.Counter),
        ("versions.v1.found", StatKind.Counter),
        ("versions.v1.disallowed", StatKind.Counter),
        ("versions.v1.error", StatKind.Counter),
        ("versions.v2.found", StatKind.Counter),
        ("versions.v2.disallowed", StatKind.Counter),
        ("versions.v2.error", StatKind.Counter),
    ]);

    public IListenerFilter Create() => new ProxyProtocolFilter(this);
}
