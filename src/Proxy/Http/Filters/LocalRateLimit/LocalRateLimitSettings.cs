using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit;

namespace MeshProxy.Proxy.Http.Filters.LocalRateLimit;

/// <summary>A limiter with how it is applied; of the filter, or a route's own.</summary>
internal sealed class LocalRateLimitSettings
{
    private const int TooManyRequests = 429;

    /// <summary>Envoy's default of max_dynamic_descriptors.</summary>
    private const uint DefaultMaxDynamic = 20;

    private readonly FractionalPercent _enabled;
    private readonly FractionalPercent _enforced;
    private readonly LocalRateLimiter _limiter;
    private readonly bool _perConnection;
    private readonly string _connectionKey;
    private readonly RateLimitPolicy[] _policies;
    private readonly VirtualHostRateLimits _virtualHost;
    private readonly uint _stage;

    public LocalRateLimitSettings(Config config, FactoryContext context)
    {
        if (config.LocalClusterRateLimit is not null)
        {
            throw new ConfigurationException("local_ratelimit.local_cluster_rate_limit is not supported: leave it out.");
        }
        _enabled = Share(config.FilterEnabled, context);
        _enforced = Share(config.FilterEnforced, context);
        var bucket = config.TokenBucket is not null ? TokenBucketCompiler.Compile(config.TokenBucket, "local_ratelimit") : null;
        _limiter = new LocalRateLimiter(bucket, config.Descriptors, config.AlwaysConsumeDefaultTokenBucket ?? true,
            config.MaxDynamicDescriptors ?? DefaultMaxDynamic);
        _perConnection = config.LocalRateLimitPerDownstreamConnection;
        _connectionKey = $"envoy.filters.http.local_ratelimit.{config.StatPrefix}.{config.Message.GetHashCode()}";
        _policies = RateLimitPolicy.CompileAll(config.RateLimits, context, "local_ratelimit.rate_limits");
        if (Array.Exists(_policies, static policy => policy.AppliesOnStreamDone || policy.HasNegativeHits))
        {
            throw new ConfigurationException(
                "local_ratelimit.rate_limits: apply_on_stream_done and negative hits need a rate limit service: leave them out.");
        }
        _virtualHost = (VirtualHostRateLimits)config.VhRateLimits;
        _stage = config.Stage;
        Status = config.Status is { } status && (int)status.Code >= 400 ? (int)status.Code : TooManyRequests;
        ResponseHeaders = HeaderParser.Compile(config.ResponseHeadersToAdd, [], "local_ratelimit.response_headers_to_add");
        UnenforcedHeaders = HeaderParser.Compile(
            config.RequestHeadersToAddWhenNotEnforced, [], "local_ratelimit.request_headers_to_add_when_not_enforced");
        ShowsLimits = config.EnableXRatelimitHeaders == Envoy.Extensions.Common.Ratelimit.V3.XRateLimitHeadersRFCVersion.DraftVersion03;
        ShowsRetryAfter = config.EnableRetryAfterHeader;
        GrpcStatus = config.RateLimitedAsResourceExhausted ? Grpc.GrpcStatus.ResourceExhausted : null;
        Stats = new LocalRateLimitStats(context.ServerScope.Scope($"{config.StatPrefix}.http_local_rate_limit"));
    }

    public int Status { get; }

    public HeaderParser ResponseHeaders { get; }

    public HeaderParser UnenforcedHeaders { get; }

    public bool ShowsLimits { get; }

    public bool ShowsRetryAfter { get; }

    public int? GrpcStatus { get; }

    public LocalRateLimitStats Stats { get; }

    public bool Enabled(ulong random) => _enabled.Takes(random);

    public bool Enforced(ulong random) => _enforced.Takes(random);

    public LocalLimitDecision Decide(in RateLimitContext context)
    {
        var descriptors = new List<RateLimitDescriptor>();
        if (_policies.Length > 0)
        {
            RateLimitPolicy.Describe(_policies, _stage, context, descriptors);
        }
        else
        {
            RouteRateLimits.Describe(context, _virtualHost, _stage, descriptors);
        }
        return LimiterFor(context.Info).Decide(descriptors);
    }

    private LocalRateLimiter LimiterFor(StreamInfo info)
    {
        if (!_perConnection)
        {
            return _limiter;
        }
        var state = (info.ConnectionStreamInfo ?? info).FilterState;
        if (state.Get<LocalRateLimiter>(_connectionKey) is not { } own)
        {
            state.Set(_connectionKey, own = _limiter.Fresh(), FilterStateLifeSpan.Connection);
        }
        return own;
    }

    // Not configured is never: both shares have to be given (Envoy's defaults are 0 %).
    private static FractionalPercent Share(Envoy.Config.Core.V3.RuntimeFractionalPercent? config, FactoryContext context) =>
        config is { } given ? new FractionalPercent(given, context.Runtime) : FractionalPercent.Of(0, "", context.Runtime);
}

internal sealed class LocalRateLimitStats(IStatsScope scope)
{
    public Counter Enabled { get; } = scope.Counter("enabled");

    public Counter Enforced { get; } = scope.Counter("enforced");

    public Counter Ok { get; } = scope.Counter("ok");

    public Counter RateLimited { get; } = scope.Counter("rate_limited");

    public Counter ShadowMode { get; } = scope.Counter("shadow_mode");
}
