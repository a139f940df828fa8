using System.Collections.Concurrent;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>`rbac.` counters; a prefix of rules is followed by a dot whatever it ends in (Envoy's pool macros).</summary>
internal sealed class RbacStats
{
    private readonly IStatsScope _rules;
    private readonly IStatsScope _shadow;
    private readonly Counter _allowed;
    private readonly Counter _denied;
    private readonly Counter _shadowAllowed;
    private readonly Counter _shadowDenied;
    private readonly ConcurrentDictionary<(string Policy, bool Shadow, bool Allowed), Counter>? _policies;

    /// <param name="scope">The root.</param>
    /// <param name="prefix">Of the owner, with its dot: `http.ingress.`.</param>
    /// <param name="rulesPrefix">rules_stat_prefix.</param>
    /// <param name="shadowPrefix">shadow_rules_stat_prefix.</param>
    /// <param name="perPolicy">track_per_rule_stats.</param>
    public RbacStats(IStatsScope scope, string prefix, string rulesPrefix, string shadowPrefix, bool perPolicy)
    {
        _rules = scope.Scope(Name(prefix, rulesPrefix));
        _shadow = scope.Scope(Name(prefix, shadowPrefix));
        _allowed = _rules.Counter("allowed");
        _denied = _rules.Counter("denied");
        _shadowAllowed = _shadow.Counter("shadow_allowed");
        _shadowDenied = _shadow.Counter("shadow_denied");
        _policies = perPolicy ? new() : null;
    }

    public void Count(in RbacDecision decision, bool shadow)
    {
        var counter = shadow ? (decision.Allowed ? _shadowAllowed : _shadowDenied) : decision.Allowed ? _allowed : _denied;
        counter.Inc();
        if (_policies is not null && decision.Policy is { } policy)
        {
            CountPolicy(policy, shadow, decision.Allowed);
        }
    }

    private void CountPolicy(string policy, bool shadow, bool allowed)
    {
        var key = (policy, shadow, allowed);
        if (!_policies!.TryGetValue(key, out var counter))
        {
            var name = $"policy.{policy}.{(shadow ? "shadow_" : "")}{(allowed ? "allowed" : "denied")}";
            counter = _policies.GetOrAdd(key, (shadow ? _shadow : _rules).Counter(name));
        }
        counter.Inc();
    }

    private static string Name(string prefix, string rules) =>
        rules.Length == 0 ? $"{prefix}rbac" : $"{prefix}rbac.{rules.TrimEnd('.')}";
}
