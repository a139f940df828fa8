using System.Runtime.CompilerServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit;

namespace MeshProxy.Proxy.Http.Filters.RateLimit;

/// <summary>The compiled filter.</summary>
internal sealed class RateLimitSettings : IHttpFilterConfig
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int OverLimit = 2;
    public const int FailureModeAllowed = 3;

    private const string Field = "ratelimit";
    private const int TooManyRequests = 429;
    private const int InternalServerError = 500;

    /// <summary>All, in ten thousandths.</summary>
    private const uint Always = 10_000;

    private static readonly string[] StatNames = ["ok", "error", "over_limit", "failure_mode_allowed"];

    private readonly ConditionalWeakTable<ICluster, Counter?[]> _counters = [];
    private readonly string _statPrefix;
    private readonly FractionalPercent _enabled;
    private readonly FractionalPercent _enforced;
    private readonly FractionalPercent? _denyShare;
    private readonly bool _deny;
    private readonly RateLimitPolicy[] _policies;
    private readonly uint _stage;
    private readonly bool? _internal;
    private readonly string _domain;

    public RateLimitSettings(Config config, FactoryContext context)
    {
        _domain = config.Domain;
        _stage = config.Stage;
        _internal = config.RequestType switch
        {
            "internal" => true,
            "external" => false,
            _ => null,
        };
        Client = new RateLimitClient(config.RateLimitService, config.Timeout, context, $"{Field}.rate_limit_service");
        _policies = RateLimitPolicy.CompileAll(config.RateLimits, context, $"{Field}.rate_limits");
        _enabled = Share(config.FilterEnabled, "ratelimit.http_filter_enabled", context);
        _enforced = Share(config.FilterEnforced, "ratelimit.http_filter_enforcing", context);
        _denyShare = config.FailureModeDenyPercent is { } share ? new FractionalPercent(share, context.Runtime) : null;
        _deny = config.FailureModeDeny;
        LimitedStatus = config.RateLimitedStatus is { } limited && (int)limited.Code >= 400 ? (int)limited.Code : TooManyRequests;
        LimitedGrpcStatus = config.RateLimitedAsResourceExhausted ? Grpc.GrpcStatus.ResourceExhausted : null;
        ErrorStatus = (int)(config.StatusOnError?.Code ?? 0) is > 0 and var code ? code : InternalServerError;
        MarksLimited = !config.DisableXEnvoyRatelimitedHeader;
        ShowsLimits = config.EnableXRatelimitHeaders == Config.XRateLimitHeadersRFCVersion.DraftVersion03;
        ShowsRetryAfter = config.EnableRetryAfterHeader;
        LimitedHeaders = HeaderParser.Compile(config.ResponseHeadersToAdd, [], $"{Field}.response_headers_to_add");
        MetadataNamespace = config.MetadataNamespace.Length > 0 ? config.MetadataNamespace : "envoy.filters.http.ratelimit";
        _statPrefix = config.StatPrefix.Length > 0 ? $"ratelimit.{config.StatPrefix}" : "ratelimit";
    }

    public RateLimitClient Client { get; }

    public int LimitedStatus { get; }

    public int? LimitedGrpcStatus { get; }

    public int ErrorStatus { get; }

    /// <summary>Tells limited clients by `x-envoy-ratelimited`.</summary>
    public bool MarksLimited { get; }

    public bool ShowsLimits { get; }

    public bool ShowsRetryAfter { get; }

    /// <summary>Added to the answer of who is over the limit.</summary>
    public HeaderParser LimitedHeaders { get; }

    public string MetadataNamespace { get; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new RateLimitFilter(this));

    public bool Enabled(ulong random) => _enabled.Takes(random);

    public bool Enforced(ulong random) => _enforced.Takes(random);

    /// <summary>Whether requests are refused while the service fails.</summary>
    public bool DeniesOnFailure(ulong random) => _denyShare?.Takes(random) ?? _deny;

    /// <summary>Whether requests of this origin (x-envoy-internal) are counted at all.</summary>
    public bool Counts(HeaderMap headers) =>
        _internal is not { } wanted || headers.Get(KnownHeader.EnvoyInternalRequest).SequenceEqual("true"u8) == wanted;

    public string DomainOf(RateLimitRouteSettings? own) => own is { Domain.Length: > 0 } ? own.Domain : _domain;

    public List<RateLimitDescriptor> Describe(RateLimitRouteSettings? own, in RateLimitContext context, bool onStreamDone)
    {
        var descriptors = new List<RateLimitDescriptor>();
        if (own is { Policies.Length: > 0 })
        {
            RateLimitPolicy.Describe(own.Policies, _stage, context, descriptors, onStreamDone);
        }
        else if (_policies.Length > 0)
        {
            RateLimitPolicy.Describe(_policies, _stage, context, descriptors, onStreamDone);
        }
        else
        {
            RouteRateLimits.Describe(context, own?.VirtualHost ?? VirtualHostRateLimits.Override, _stage, descriptors, onStreamDone);
        }
        return descriptors;
    }

    /// <summary>Counts under `cluster.NAME.ratelimit[.PREFIX].`, where each counter is made when it first counts.</summary>
    public void Count(ICluster cluster, int stat)
    {
        var counters = _counters.GetValue(cluster, static _ => new Counter?[StatNames.Length]);
        (counters[stat] ??= cluster.Stats.Counter($"{_statPrefix}.{StatNames[stat]}")).Inc();
    }

    private static FractionalPercent Share(
        Envoy.Config.Core.V3.RuntimeFractionalPercent? config, string defaultKey, FactoryContext context) =>
        config is { } given ? new FractionalPercent(given, context.Runtime) : FractionalPercent.Of(Always, defaultKey, context.Runtime);
}
