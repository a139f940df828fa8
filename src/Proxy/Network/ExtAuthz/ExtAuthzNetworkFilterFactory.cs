using System.Collections.Concurrent;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using ApiVersion = Envoy.Config.Core.V3.ApiVersion;
using Config = Envoy.Extensions.Filters.Network.ExtAuthz.V3.ExtAuthz;
using Metadata = Envoy.Config.Core.V3.Metadata;

namespace MeshProxy.Proxy.Network.ExtAuthz;

/// <summary>envoy.filters.network.ext_authz: a service decides about each connection.</summary>
internal sealed class ExtAuthzNetworkFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.ext_authz";

    public INetworkFilterConfig Compile(Message message, FactoryContext context) =>
        new ExtAuthzNetworkConfig(Config.From(message), context);
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed class ExtAuthzNetworkConfig : INetworkFilterConfig
{
    public const int Ok = 0;
    public const int Denied = 1;
    public const int Error = 2;
    public const int FailureModeAllowed = 3;
    public const int Total = 4;
    public const int Disabled = 5;
    public const int ConnectionsClosed = 6;
    public const int Active = 7;

    /// <summary>By stat_prefix, whose own dots are kept: Istio's `tcp.` makes `ext_authz.tcp..ok`.</summary>
    private static readonly ConcurrentDictionary<string, StatBlockLayout> Layouts = new(StringComparer.Ordinal);

    private const string Field = "ext_authz";

    private readonly MetadataMatcher? _enabledByMetadata;
    private readonly string[] _contexts;

    public ExtAuthzNetworkConfig(Config config, FactoryContext context)
    {
        if (config.TransportApiVersion == ApiVersion.V2)
        {
            throw new ConfigurationException($"{Field}.transport_api_version: V2 is gone; use V3.");
        }
        if (config.SendTlsAlertOnDenial)
        {
            throw new ConfigurationException($"{Field}.send_tls_alert_on_denial is not supported: leave it out.");
        }
        Client = new GrpcAuthorizationClient(
            config.GrpcService ?? throw new ConfigurationException($"{Field}.grpc_service: no service is set; set it."),
            context, $"{Field}.grpc_service");
        Contents = new CheckContents
        {
            IncludePeerCertificate = config.IncludePeerCertificate,
            IncludeTlsSession = config.IncludeTlsSession,
            DestinationLabels = CheckContents.LabelsOf(context, config.BootstrapMetadataLabelsKey),
        };
        FailureModeAllow = config.FailureModeAllow;
        ShadowKey = config.ShadowMode ? $"envoy.filters.network.ext_authz.{config.StatPrefix}.shadow" : null;
        _enabledByMetadata = config.FilterEnabledMetadata is { } matcher
            ? new MetadataMatcher(matcher, $"{Field}.filter_enabled_metadata") : null;
        _contexts = [.. config.MetadataContextNamespaces];
        Stats = context.ServerScope.Scope("ext_authz").Block(Layouts.GetOrAdd(config.StatPrefix, LayoutOf));
    }

    public IAuthorizationClient Client { get; }

    public CheckContents Contents { get; }

    public bool FailureModeAllow { get; }

    /// <summary>Decisions are only recorded, under this name of the filter state; null enforces them.</summary>
    public string? ShadowKey { get; }

    public StatBlock Stats { get; }

    public bool IsEnabled(StreamInfo info) => _enabledByMetadata?.Match(info.DynamicMetadata) != false;

    public Metadata? ContextOf(StreamInfo info)
    {
        if (_contexts.Length == 0)
        {
            return null;
        }
        var message = Metadata.New();
        foreach (var name in _contexts)
        {
            if (info.DynamicMetadata.Get(name) is { } fields)
            {
                message.FilterMetadata.Set(name, MetadataConversion.ToMessage(fields));
            }
        }
        return message;
    }

    private static StatBlockLayout LayoutOf(string prefix) => new(
    [
        ($"{prefix}.ok", StatKind.Counter),
        ($"{prefix}.denied", StatKind.Counter),
        ($"{prefix}.error", StatKind.Counter),
        ($"{prefix}.failure_mode_allowed", StatKind.Counter),
        ($"{prefix}.total", StatKind.Counter),
        ($"{prefix}.disabled", StatKind.Counter),
        ($"{prefix}.cx_closed", StatKind.Counter),
        ($"{prefix}.active", StatKind.Gauge),
    ]);

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new ExtAuthzNetworkFilter(this));
}
