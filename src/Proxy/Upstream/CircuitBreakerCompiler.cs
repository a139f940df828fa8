using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Reads circuit_breakers: the first threshold of a priority wins.</summary>
internal static class CircuitBreakerCompiler
{
    // Thresholds.RetryBudget: budget_percent and min_retry_concurrency.
    private const double DefaultBudgetPercent = 20;
    private const uint DefaultMinRetryConcurrency = 3;

    public static (CircuitBreakerLimits Default, CircuitBreakerLimits High, ulong? PerHost) Compile(Cluster definition)
    {
        if (definition.CircuitBreakers is not { } breakers)
        {
            return (CircuitBreakerLimits.Default, CircuitBreakerLimits.Default, null);
        }
        ulong? perHost = null;
        if (breakers.PerHostThresholds is [var first, ..])
        {
            if (first.MaxPendingRequests is not null || first.MaxRequests is not null || first.MaxRetries is not null
                || first.MaxConnectionPools is not null || first.RetryBudgetValue is not null)
            {
                throw new ConfigurationException(
                    $"Unsupported field in per_host_thresholds of cluster {definition.Name}: only max_connections is taken.");
            }
            perHost = first.MaxConnections;
        }
        return (Read(breakers, Envoy.Config.Core.V3.RoutingPriority.Default), Read(breakers, Envoy.Config.Core.V3.RoutingPriority.High), perHost);
    }

    private static CircuitBreakerLimits Read(CircuitBreakers breakers, Envoy.Config.Core.V3.RoutingPriority priority)
    {
        var defaults = CircuitBreakerLimits.Default;
        foreach (var threshold in breakers.ThresholdsValue)
        {
            if (threshold.Priority != priority)
            {
                continue;
            }
            return new CircuitBreakerLimits
            {
                MaxConnections = threshold.MaxConnections ?? defaults.MaxConnections,
                MaxPendingRequests = threshold.MaxPendingRequests ?? defaults.MaxPendingRequests,
                MaxRequests = threshold.MaxRequests ?? defaults.MaxRequests,
                MaxRetries = threshold.MaxRetries ?? defaults.MaxRetries,
                MaxConnectionPools = threshold.MaxConnectionPools ?? defaults.MaxConnectionPools,
                TrackRemaining = threshold.TrackRemaining,
                RetryBudget = threshold.RetryBudgetValue is { } budget
                    ? new RetryBudget(budget.BudgetPercent?.Value ?? DefaultBudgetPercent, budget.MinRetryConcurrency ?? DefaultMinRetryConcurrency)
                    : null,
            };
        }
        return defaults;
    }
}
