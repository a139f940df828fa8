using System.Buffers.Text;
using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What became of the wish to retry.</summary>
internal enum RetryStatus
{
    No,
    NoOverflow,
    NoRetryLimitExceeded,
    Yes,
}

/// <summary>Decides about retries of one request and waits out the back-off (upstream 13; Envoy's RetryStateImpl).</summary>
internal sealed class RetryState
{
    /// <summary>25 ms: Envoy's base of the exponential back-off.</summary>
    private const ulong DefaultBackOffMilliseconds = 25;

    private const RetryOn Grpc = RetryOn.GrpcCancelled | RetryOn.GrpcDeadlineExceeded | RetryOn.GrpcInternal
        | RetryOn.GrpcResourceExhausted | RetryOn.GrpcUnavailable;

    private readonly RetryPolicy _policy;
    private readonly ICluster _cluster;
    private readonly RoutingPriority _priority;
    private readonly VirtualClusterEntry? _virtualCluster;
    private readonly VirtualClusterStats? _routeStats;
    private readonly EventLoop _loop;
    private readonly IRuntime _runtime;
    private readonly RetryOn _on;
    private readonly List<uint> _codes = [];
    private readonly List<byte[]> _headerNames = [];
    private readonly List<Host> _attempted = [];
    private readonly long _maxBackOff;
    private readonly RouterFilter _router;
    private ulong _remaining;
    private long _nextBackOff;
    private LoopTimer? _timer;
    private bool _pending;
    private bool _timeoutRetry;
    private TimeSpan? _rateLimited;

    private RetryState(RetryPolicy policy, RouteEntry route, HeaderMap headers, ICluster cluster, VirtualClusterEntry? virtualCluster,
        EventLoop loop, IRuntime runtime, RouterFilter router)
    {
        _policy = policy;
        _cluster = cluster;
        _priority = route.Action!.Priority;
        _virtualCluster = virtualCluster;
        _routeStats = route.Stats;
        _loop = loop;
        _runtime = runtime;
        _router = router;
        _remaining = policy.NumRetries;
        _on = policy.RetryOn;
        _codes.AddRange(policy.RetriableStatusCodes);
        ReadHeaders(headers, ref _on);
        _nextBackOff = (long)(policy.BaseInterval?.TotalMilliseconds
            ?? runtime.GetInteger("upstream.base_retry_backoff_ms", DefaultBackOffMilliseconds));
        _maxBackOff = (long)(policy.MaxInterval?.TotalMilliseconds ?? _nextBackOff * 10);
        Priority = policy.PriorityUpdateFrequency > 0 ? new PreviousPriorities(policy.PriorityUpdateFrequency) : null;
    }

    /// <summary>Null when the request can never be retried. Consumes the headers that steer retries.</summary>
    public static RetryState? Create(RetryPolicy policy, RouteEntry route, HeaderMap headers, ICluster cluster,
        VirtualClusterEntry? virtualCluster, EventLoop loop, IRuntime runtime, RouterFilter router)
    {
        var wanted = policy.RetryOn != RetryOn.None || headers.Contains(KnownHeader.EnvoyRetryOn)
            || headers.Contains(KnownHeader.EnvoyRetryGrpcOn);
        var state = wanted ? new RetryState(policy, route, headers, cluster, virtualCluster, loop, runtime, router) : null;
        headers.Remove(KnownHeader.EnvoyRetryOn);
        headers.Remove(KnownHeader.EnvoyRetryGrpcOn);
        headers.Remove(KnownHeader.EnvoyMaxRetries);
        headers.Remove(KnownHeader.EnvoyHedgeOnPerTryTimeout);
        headers.Remove(KnownHeader.EnvoyRetriableHeaderNames);
        headers.Remove(KnownHeader.EnvoyRetriableStatusCodes);
        return state;
    }

    public bool Enabled => _on != RetryOn.None;

    public PreviousPriorities? Priority { get; }

    public uint HostSelectionMaxAttempts => _policy.HostSelectionMaxAttempts;

    /// <summary>True when the endpoint is not to be taken for this attempt.</summary>
    public bool ShouldSelectAnotherHost(Host host)
    {
        foreach (var predicate in _policy.HostPredicates)
        {
            if (predicate.Reject(host, _attempted))
            {
                return true;
            }
        }
        return false;
    }

    public void OnHostAttempted(Host host)
    {
        _attempted.Add(host);
        Priority?.OnHostAttempted(host);
    }

    public RetryStatus ShouldRetryHeaders(HeaderMap response)
    {
        var would = WouldRetry(response);
        if (would && _policy.ResetHeaders.Length > 0)
        {
            _rateLimited = ResetInterval(response);
        }
        return ShouldRetry(would, isTimeout: false);
    }

    public RetryStatus ShouldRetryReset(StreamResetReason reason, bool requestStarted, bool isTimeout) =>
        ShouldRetry(WouldRetry(reason, requestStarted), isTimeout);

    /// <summary>Hedging: whenever there are retries left, whatever the conditions.</summary>
    public RetryStatus ShouldHedge() => ShouldRetry(true, isTimeout: true);

    /// <summary>Whether the answer is one that retries are for.</summary>
    public bool WouldRetry(HeaderMap response)
    {
        if (response.Contains(KnownHeader.EnvoyRateLimited))
        {
            return Has(RetryOn.EnvoyRateLimited);
        }
        var status = HeaderUtility.Status(response);
        return (Has(RetryOn.Http5xx) && status is >= 500 and < 600)
            || (Has(RetryOn.GatewayError) && status is >= 502 and <= 504)
            || (Has(RetryOn.Retriable4xx) && status == 409)
            || (Has(RetryOn.RetriableStatusCodes) && _codes.Contains((uint)status))
            || (Has(RetryOn.RetriableHeaders) && MatchesHeaders(response))
            || (Has(Grpc) && WouldRetryGrpc(GrpcCommon.Status(response)));
    }

    public void RecordSuccess()
    {
        _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetrySuccess);
        _virtualCluster?.Stats.RetrySuccess();
        _routeStats?.RetrySuccess();
    }

    /// <summary>The request needs no retry any more: frees the breaker and stops the timer.</summary>
    public void Stop()
    {
        _timer?.Disarm();
        Release();
    }

    private void ReadHeaders(HeaderMap headers, ref RetryOn on)
    {
        if (headers.GetString(KnownHeader.EnvoyRetryOn) is { } http)
        {
            RetryOnParser.TryParseHttp(http, out var conditions);
            on |= conditions;
        }
        if (headers.GetString(KnownHeader.EnvoyRetryGrpcOn) is { } grpc)
        {
            RetryOnParser.TryParseGrpc(grpc, out var conditions);
            on |= conditions;
        }
        var max = headers.Get(KnownHeader.EnvoyMaxRetries);
        if (on != RetryOn.None && Utf8Parser.TryParse(max, out ulong given, out var used) && used == max.Length)
        {
            _remaining = given;
        }
        foreach (var code in Parts(headers, KnownHeader.EnvoyRetriableStatusCodes))
        {
            if (uint.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                _codes.Add(number);
            }
        }
        foreach (var name in Parts(headers, KnownHeader.EnvoyRetriableHeaderNames))
        {
            _headerNames.Add(Encoding.Latin1.GetBytes(name.ToLowerInvariant()));
        }
        if (_policy.RetriableRequestHeaders.Length > 0
            && !Array.Exists(_policy.RetriableRequestHeaders, matcher => matcher.Match(headers)))
        {
            on = RetryOn.None;
        }
    }

    private static string[] Parts(HeaderMap headers, KnownHeader header) =>
        headers.GetString(header)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private bool Has(RetryOn condition) => (_on & condition) != 0;

    private bool MatchesHeaders(HeaderMap response)
    {
        foreach (var matcher in _policy.RetriableHeaders)
        {
            if (matcher.Match(response))
            {
                return true;
            }
        }
        foreach (var name in _headerNames)
        {
            if (response.IndexOf(name, 0) >= 0)
            {
                return true;
            }
        }
        return false;
    }

    private bool WouldRetryGrpc(int? status) => status switch
    {
        GrpcStatus.Canceled => Has(RetryOn.GrpcCancelled),
        GrpcStatus.DeadlineExceeded => Has(RetryOn.GrpcDeadlineExceeded),
        GrpcStatus.ResourceExhausted => Has(RetryOn.GrpcResourceExhausted),
        GrpcStatus.Unavailable => Has(RetryOn.GrpcUnavailable),
        GrpcStatus.Internal => Has(RetryOn.GrpcInternal),
        _ => false,
    };

    private bool WouldRetry(StreamResetReason reason, bool requestStarted)
    {
        // A full cluster is not helped by asking it again.
        if (reason == StreamResetReason.Overflow)
        {
            return false;
        }
        return Has(RetryOn.Reset | RetryOn.Http5xx | RetryOn.GatewayError)
            || (Has(RetryOn.ResetBeforeRequest) && !requestStarted)
            || (Has(RetryOn.RefusedStream) && reason == StreamResetReason.RemoteRefusedStreamReset)
            || (Has(RetryOn.ConnectFailure) && reason is StreamResetReason.RemoteConnectionFailure
                or StreamResetReason.LocalConnectionFailure or StreamResetReason.ConnectionTimeout);
    }

    private RetryStatus ShouldRetry(bool would, bool isTimeout)
    {
        if (_pending && !would)
        {
            return RetryStatus.No;
        }
        Release();
        if (!would)
        {
            return RetryStatus.No;
        }
        if (_remaining == 0)
        {
            _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetryLimitExceeded);
            _virtualCluster?.Stats.RetryLimitExceeded();
            _routeStats?.RetryLimitExceeded();
            return RetryStatus.NoRetryLimitExceeded;
        }
        _remaining--;
        var resources = _cluster.Resources(_priority);
        if (!resources.CanRetry)
        {
            _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetryOverflow);
            _virtualCluster?.Stats.RetryOverflow();
            _routeStats?.RetryOverflow();
            return RetryStatus.NoOverflow;
        }
        if (!_runtime.FeatureEnabled("upstream.use_retry", 100, 100, 0))
        {
            return RetryStatus.No;
        }
        resources.Retries.Inc();
        _pending = true;
        _timeoutRetry = isTimeout;
        _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetry);
        _virtualCluster?.Stats.Retry();
        _routeStats?.Retry();
        ArmBackOff();
        return RetryStatus.Yes;
    }

    private void ArmBackOff()
    {
        _timer ??= _loop.CreateTimer(OnBackOff);
        if (_rateLimited is { } interval)
        {
            _rateLimited = null;
            var least = Math.Max(1, (long)interval.TotalMilliseconds);
            _timer.Arm(TimeSpan.FromMilliseconds(least + Random.Shared.NextInt64(Math.Max(1, least / 2))));
            _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetryBackoffRatelimited);
            return;
        }
        var current = Math.Max(1, _nextBackOff);
        _nextBackOff = Math.Min(_nextBackOff * 2, _maxBackOff);
        _timer.Arm(TimeSpan.FromMilliseconds(Random.Shared.NextInt64(current)));
        _cluster.Traffic.Inc(ClusterStat.UpstreamRqRetryBackoffExponential);
    }

    private void OnBackOff() => _router.Retry(_timeoutRetry);

    private void Release()
    {
        if (_pending)
        {
            _pending = false;
            _cluster.Resources(_priority).Retries.Dec();
        }
    }

    private TimeSpan? ResetInterval(HeaderMap response)
    {
        foreach (var header in _policy.ResetHeaders)
        {
            if (!response.TryGet(header.Name, out var value)
                || !Utf8Parser.TryParse(value, out ulong number, out var used) || used != value.Length)
            {
                continue;
            }
            var seconds = header.UnixTimestamp
                ? (long)number - DateTimeOffset.UtcNow.ToUnixTimeSeconds()
                : number <= int.MaxValue ? (long)number : -1;
            if (seconds > 0 && TimeSpan.FromSeconds(seconds) is var interval && interval <= _policy.ResetMaxInterval)
            {
                return interval;
            }
        }
        return null;
    }
}
