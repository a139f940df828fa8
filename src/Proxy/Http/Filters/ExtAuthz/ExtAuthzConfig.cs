using System.Runtime.CompilerServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Proxy.Upstream;
using ApiVersion = Envoy.Config.Core.V3.ApiVersion;
using Config = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>The compiled filter.</summary>
internal sealed class ExtAuthzConfig : IHttpFilterConfig
{
    private const string Field = "ext_authz";

    private readonly ConditionalWeakTable<ICluster, ClusterCounters> _clusterCounters = [];
    private readonly string _clusterPrefix;
    private readonly FractionalPercent? _enabled;
    private readonly MetadataMatcher? _enabledByMetadata;
    private readonly RuntimeFlag? _denyAtDisable;

    public ExtAuthzConfig(Config config, string statPrefix, FactoryContext context)
    {
        if (config.TransportApiVersion == ApiVersion.V2)
        {
            throw new ConfigurationException($"{Field}.transport_api_version: V2 is gone; use V3.");
        }
        Client = CompileClient(config, context);
        Contents = ContentsOf(config, context);
        Body = RequestBody.Of(config.WithRequestBody);
        Contexts = MetadataContexts.Of(config);
        _enabled = config.FilterEnabled is { } share ? new FractionalPercent(share, context.Runtime) : null;
        _enabledByMetadata = config.FilterEnabledMetadata is { } matcher
            ? new MetadataMatcher(matcher, $"{Field}.filter_enabled_metadata") : null;
        _denyAtDisable = config.DenyAtDisable is { } deny ? RuntimeFlag.Compile(deny, context.Runtime) : null;
        FailureModeAllow = config.FailureModeAllow;
        FailureModeAllowHeader = config.FailureModeAllowHeaderAdd;
        StatusOnError = (int)(config.StatusOnError?.Code ?? 0) is > 0 and var code ? code : CheckResult.Forbidden;
        ClearRouteCache = config.ClearRouteCache;
        ClearRouteCacheHeaders = [.. config.ClearRouteCacheHeaders.Select(static name => name.ToLowerInvariant())];
        Mutations = new MutationPolicy(config.ValidateMutations, config.DecoderHeaderMutationRules is { } rules
            ? new HeaderMutationChecker(rules, $"{Field}.decoder_header_mutation_rules") : null);
        TakesMetadata = config.EnableDynamicMetadataIngestion ?? true;
        ChargesCluster = config.ChargeClusterResponseStats ?? true;
        EmitsSpan = config.EmitClientSpan ?? true;
        EmitsStats = config.EmitFilterStateStats;
        FilterMetadata = config.FilterMetadata is { } metadata ? MetadataConversion.ToStruct(metadata) : null;
        MaxDeniedBody = config.MaxDeniedResponseBodyBytes;
        EnforcesResponseLimits = config.EnforceResponseHeaderLimits;
        IsShadow = config.ShadowMode;
        var suffix = config.StatPrefix.Length > 0 ? $"ext_authz.{config.StatPrefix}" : "ext_authz";
        _clusterPrefix = suffix;
        Stats = new ExtAuthzStats(context.ServerScope.Scope(statPrefix + suffix));
    }

    public IAuthorizationClient Client { get; }

    public CheckContents Contents { get; }

    /// <summary>Null asks without the body.</summary>
    public RequestBody? Body { get; }

    public MetadataContexts Contexts { get; }

    public bool FailureModeAllow { get; }

    public bool FailureModeAllowHeader { get; }

    public int StatusOnError { get; }

    public bool ClearRouteCache { get; }

    /// <summary>Only a change of one of these, or of the query, chooses the route again; empty is any change.</summary>
    public HashSet<string> ClearRouteCacheHeaders { get; }

    public MutationPolicy Mutations { get; }

    public bool TakesMetadata { get; }

    public bool ChargesCluster { get; }

    public bool EmitsSpan { get; }

    public bool EmitsStats { get; }

    public MetadataValue.StructNode? FilterMetadata { get; }

    /// <summary>Bytes of a denial's body that the client gets; 0 is all.</summary>
    public uint MaxDeniedBody { get; }

    public bool EnforcesResponseLimits { get; }

    public bool IsShadow { get; }

    public ExtAuthzStats Stats { get; }

    public bool DenyAtDisable => _denyAtDisable?.Enabled ?? false;

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new ExtAuthzFilter(this));

    public bool IsEnabled(StreamInfo info) =>
        _enabled?.Takes(info.StreamId) != false && _enabledByMetadata?.Match(info.DynamicMetadata) != false;

    /// <summary>Counters under `cluster.NAME.`, each made when it first counts.</summary>
    public ClusterCounters CountersOf(ICluster cluster) =>
        _clusterCounters.GetValue(cluster, one => new ClusterCounters(one.Stats, _clusterPrefix));

    private static IAuthorizationClient CompileClient(Config config, FactoryContext context) => config.ServicesCase switch
    {
        Config.ServicesOneofCase.HttpService => new HttpAuthorizationClient(config.HttpService!.Value, context, $"{Field}.http_service"),
        Config.ServicesOneofCase.GrpcService => new GrpcAuthorizationClient(config.GrpcService!.Value, context, $"{Field}.grpc_service"),
        _ => throw new ConfigurationException($"{Field}: no service is set; set grpc_service or http_service."),
    };

    private static CheckContents ContentsOf(Config config, FactoryContext context)
    {
        var older = config.HttpService?.AuthorizationRequest?.AllowedHeaders;
        if (older is not null && config.AllowedHeaders is not null)
        {
            throw new ConfigurationException(
                $"{Field}: allowed_headers is set here and in http_service.authorization_request; keep the first.");
        }
        return new CheckContents
        {
            IncludePeerCertificate = config.IncludePeerCertificate,
            IncludeTlsSession = config.IncludeTlsSession,
            PackAsBytes = config.WithRequestBody?.PackAsBytes ?? false,
            EncodeRawHeaders = config.EncodeRawHeaders,
            AllowedHeaders = config.HttpService is not null
                ? HeaderNameMatcher.Compile(config.AllowedHeaders ?? older, $"{Field}.allowed_headers",
                    "authorization", ":method", ":path", ":authority")
                : config.AllowedHeaders is { } allowed ? HeaderNameMatcher.Compile(allowed, $"{Field}.allowed_headers") : null,
            DisallowedHeaders = HeaderNameMatcher.Compile(config.DisallowedHeaders, $"{Field}.disallowed_headers"),
            DestinationLabels = CheckContents.LabelsOf(context, config.BootstrapMetadataLabelsKey),
        };
    }

    public sealed class ClusterCounters(IStatsScope scope, string prefix)
    {
        private readonly Counter?[] _counters = new Counter?[Enum.GetValues<ExtAuthzStats.Stat>().Length];

        public void Inc(ExtAuthzStats.Stat stat) =>
            (_counters[(int)stat] ??= scope.Counter($"{prefix}.{ExtAuthzStats.Layout.Entries[(int)stat].Name}")).Inc();
    }
}
