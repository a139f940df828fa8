using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using Config = Envoy.Config.Route.V3.RetryPolicy;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.RetryPolicy (upstream 13).</summary>
internal sealed class RetryPolicy
{
    public static readonly RetryPolicy None = new();

    public RetryOn RetryOn { get; private init; }

    /// <summary>Retries beside the first attempt; Envoy's default is 1.</summary>
    public uint NumRetries { get; private init; } = 1;

    /// <summary>Zero is no limit.</summary>
    public TimeSpan PerTryTimeout { get; private init; }

    public TimeSpan PerTryIdleTimeout { get; private init; }

    public uint[] RetriableStatusCodes { get; private init; } = [];

    public HeaderMatcher[] RetriableHeaders { get; private init; } = [];

    public HeaderMatcher[] RetriableRequestHeaders { get; private init; } = [];

    /// <summary>Null: 25 ms or runtime upstream.base_retry_backoff_ms.</summary>
    public TimeSpan? BaseInterval { get; private init; }

    public TimeSpan? MaxInterval { get; private init; }

    public ResetHeader[] ResetHeaders { get; private init; } = [];

    public TimeSpan ResetMaxInterval { get; private init; } = TimeSpan.FromSeconds(300);

    public uint HostSelectionMaxAttempts { get; private init; } = 1;

    public IReadOnlyList<RetryHostPredicate> HostPredicates { get; private init; } = [];

    /// <summary>previous_priorities: after how many attempts priorities are chosen anew; 0 is off.</summary>
    public int PriorityUpdateFrequency { get; private init; }

    /// <summary>One header that tells when to come back.</summary>
    public sealed record ResetHeader(byte[] Name, bool UnixTimestamp);

    public static RetryPolicy Compile(Config config, string field)
    {
        RetryOnParser.TryParseHttp(config.RetryOn, out var http);
        RetryOnParser.TryParseGrpc(config.RetryOn, out var grpc);
        if (config.RetryOptionsPredicates is [var predicate, ..])
        {
            throw new ConfigurationException(
                $"{field}.retry_options_predicates: Didn't find a registered implementation for '{predicate.Name}'; remove it.");
        }
        var back = config.RetryBackOffValue;
        if (back?.BaseInterval is { } basis && back.Value.MaxInterval is { } max && max < basis)
        {
            throw new ConfigurationException(
                $"{field}.retry_back_off: max_interval must be greater than or equal to the base_interval; raise it.");
        }
        var rateLimited = config.RateLimitedRetryBackOffValue;
        return new RetryPolicy
        {
            RetryOn = http | grpc,
            NumRetries = config.NumRetries ?? 1,
            PerTryTimeout = config.PerTryTimeout ?? TimeSpan.Zero,
            PerTryIdleTimeout = config.PerTryIdleTimeout ?? TimeSpan.Zero,
            RetriableStatusCodes = [.. config.RetriableStatusCodes],
            RetriableHeaders = HeaderMatcher.CompileAll(config.RetriableHeaders, $"{field}.retriable_headers"),
            RetriableRequestHeaders = HeaderMatcher.CompileAll(config.RetriableRequestHeaders, $"{field}.retriable_request_headers"),
            // Intervals below a millisecond count as one.
            BaseInterval = AtLeastMillisecond(back?.BaseInterval),
            MaxInterval = AtLeastMillisecond(back?.MaxInterval),
            ResetHeaders = rateLimited is { } limited ? ResetHeadersOf(limited) : [],
            ResetMaxInterval = rateLimited?.MaxInterval ?? TimeSpan.FromSeconds(300),
            HostSelectionMaxAttempts = config.HostSelectionRetryMaxAttempts == 0 ? 1 : (uint)config.HostSelectionRetryMaxAttempts,
            HostPredicates = RetryHostPredicate.CompileAll(config.RetryHostPredicateValue, $"{field}.retry_host_predicate"),
            PriorityUpdateFrequency = PriorityOf(config, $"{field}.retry_priority"),
        };
    }

    private static TimeSpan? AtLeastMillisecond(TimeSpan? interval) =>
        interval is { } given && given < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : interval;

    private static ResetHeader[] ResetHeadersOf(Config.RateLimitedRetryBackOff config)
    {
        var headers = new ResetHeader[config.ResetHeaders.Count];
        for (var i = 0; i < headers.Length; i++)
        {
            headers[i] = new ResetHeader(Encoding.ASCII.GetBytes(config.ResetHeaders[i].Name.ToLowerInvariant()),
                config.ResetHeaders[i].Format == Config.ResetHeaderFormat.UnixTimestamp);
        }
        return headers;
    }

    private static int PriorityOf(Config config, string field)
    {
        if (config.RetryPriorityValue is not { } priority)
        {
            return 0;
        }
        return priority.TypedConfig is { } any
            && any.TryUnpack<Envoy.Extensions.Retry.Priority.PreviousPriorities.V3.PreviousPrioritiesConfig>(out var previous)
            ? Math.Max(1, previous.UpdateFrequency)
            : throw new ConfigurationException(
                $"{field}: '{priority.Name}' is no known retry priority; use envoy.retry_priorities.previous_priorities.");
    }
}
