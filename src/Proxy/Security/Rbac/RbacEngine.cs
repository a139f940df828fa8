using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>config.rbac.v3.RBAC.Action, same numbers.</summary>
internal enum RbacAction
{
    Allow,
    Deny,
    Log,
}

/// <summary>A decision.</summary>
/// <param name="Policy">The policy that decided; null when none matched.</param>
internal readonly record struct RbacDecision(bool Allowed, string? Policy);

/// <summary>Decides on requests and connections; immutable, shared by all loops.</summary>
internal abstract class RbacEngine
{
    private const string HintNamespace = "envoy.common";
    private const string HintKey = "access_log_hint";

    public abstract RbacDecision Decide(in RbacContext context);

    /// <summary>The outcome of a LOG policy, read by access log filters.</summary>
    protected static void SetLogHint(StreamInfo info, bool log) =>
        info.DynamicMetadata.Set(HintNamespace, HintKey, MetadataValue.From(log));
}

/// <summary>One named policy: any permission, any principal, and the condition.</summary>
internal sealed class RbacPolicy(string name, RbacRule permissions, RbacRule principals, CelExpression? condition)
{
    public string Name { get; } = name;

    /// <summary>Which part does not fit, in the order they are asked; null when the policy matches.</summary>
    public string? WhyNot(in RbacContext context) => !permissions.Match(context) ? "its permissions (what may be done) do not cover this"
        : !principals.Match(context) ? "its principals (who may do it) do not include this caller"
        : Match(context) ? null : "its condition is not true";

    public bool Match(in RbacContext context) => permissions.Match(context) && principals.Match(context)
        && (condition is null || condition.Matches(new LogContext(context.Headers, null, null, context.StreamInfo)));
}

/// <summary>`rules`: policies in order of their names, one action for all.</summary>
internal sealed class RbacPolicyEngine(RbacAction action, RbacPolicy[] policies) : RbacEngine
{
    public RbacAction Action => action;

    /// <summary>In the order in which they are tried.</summary>
    public IReadOnlyList<RbacPolicy> Policies => policies;

    public override RbacDecision Decide(in RbacContext context)
    {
        string? matched = null;
        foreach (var policy in policies)
        {
            if (policy.Match(context))
            {
                matched = policy.Name;
                break;
            }
        }
        if (action == RbacAction.Log)
        {
            SetLogHint(context.StreamInfo, matched is not null);
            return new RbacDecision(true, matched);
        }
        return new RbacDecision(matched is not null == (action == RbacAction.Allow), matched);
    }
}

/// <summary>The end of a match tree.</summary>
internal sealed record RbacTreeAction(string Name, RbacAction Action);

/// <summary>`matcher`: a match tree; what it does not find is denied.</summary>
internal sealed class RbacTreeEngine(MatchTree<RbacTreeAction> tree, bool logs) : RbacEngine
{
    public override RbacDecision Decide(in RbacContext context)
    {
        var found = tree.Match(new MatchContext(context.StreamInfo) { RequestHeaders = context.Headers });
        if (logs)
        {
            SetLogHint(context.StreamInfo, found?.Action == RbacAction.Log);
        }
        return new RbacDecision(found is not null && found.Action != RbacAction.Deny, found?.Name);
    }
}
