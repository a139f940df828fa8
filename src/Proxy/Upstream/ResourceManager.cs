using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// Circuit breakers of one priority: exact across loops, one atomic counter a limit a cluster (design 1.5). Limits may be
/// overridden at runtime (`circuit_breakers.cluster.priority.max_…`).
/// </summary>
public sealed class ResourceManager
{
    private readonly RetryBudget? _budget;

    public ResourceManager(CircuitBreakerLimits limits, IRuntime? runtime = null, string runtimePrefix = "")
    {
        _budget = limits.RetryBudget;
        Connections = new(limits.MaxConnections, runtime, runtimePrefix, "max_connections");
        PendingRequests = new(limits.MaxPendingRequests, runtime, runtimePrefix, "max_pending_requests");
        Requests = new(limits.MaxRequests, runtime, runtimePrefix, "max_requests");
        Retries = new(limits.MaxRetries, runtime, runtimePrefix, "max_retries");
        ConnectionPools = new(limits.MaxConnectionPools, runtime, runtimePrefix, "max_connection_pools");
    }

    public Resource Connections { get; }

    public Resource PendingRequests { get; }

    public Resource Requests { get; }

    public Resource Retries { get; }

    public Resource ConnectionPools { get; }

    /// <summary>Most retries at once: max_retries, or what the retry budget grants of the requests under way.</summary>
    public ulong MaxRetries => _budget is null
        ? Retries.Max
        : Math.Max(_budget.MinConcurrency, (ulong)(_budget.Percent / 100 * (Requests.Count + PendingRequests.Count)));

    public bool CanRetry => Retries.Count < MaxRetries;
}

/// <summary>CircuitBreakers.Thresholds of one priority; defaults are Envoy's.</summary>
public sealed record CircuitBreakerLimits
{
    public static readonly CircuitBreakerLimits Default = new();

    public ulong MaxConnections { get; init; } = 1024;

    public ulong MaxPendingRequests { get; init; } = 1024;

    public ulong MaxRequests { get; init; } = 1024;

    public ulong MaxRetries { get; init; } = 3;

    public ulong MaxConnectionPools { get; init; } = ulong.MaxValue;

    public bool TrackRemaining { get; init; }

    public RetryBudget? RetryBudget { get; init; }
}

/// <summary>Thresholds.RetryBudget: percent of active and pending requests, but at least a number of retries.</summary>
public sealed record RetryBudget(double Percent, ulong MinConcurrency);
