using Envoy.Config.Rbac.V3;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What an authorisation engine decides of a request or connection, policy by policy.</summary>
internal static class PolicyExplainer
{
    /// <param name="stage">`network filter` or `http filter`.</param>
    /// <param name="name">The filter's name.</param>
    /// <param name="rules">The engines in force: of the filter, or of the route in its place.</param>
    /// <param name="definitions">The policies as they came, to be quoted; empty where they stand elsewhere.</param>
    /// <returns>The enforced decision; null when nothing is enforced.</returns>
    public static RbacDecision? Explain(
        string stage, string name, RbacRules rules, MessageMap<Policy> definitions, in RbacContext context, List<ExplanationStep> steps)
    {
        var details = new List<string>();
        if (rules.Shadow?.Decide(context) is { } tried)
        {
            details.Add($"dry run: would be {(tried.Allowed ? "allowed" : "denied")}"
                + (tried.Policy is { } shadow ? $" by policy {shadow}" : ""));
        }
        if (rules.Enforced is not { } engine)
        {
            steps.Add(new ExplanationStep(stage, name, "No rules are enforced here.", details, []));
            return null;
        }
        var decision = engine.Decide(context);
        var rejected = engine is RbacPolicyEngine policies ? WhyNot(policies, definitions, decision, context) : [];
        steps.Add(new ExplanationStep(stage, name, Sentence(engine, decision), details, rejected));
        return decision;
    }

    private static string Sentence(RbacEngine engine, in RbacDecision decision)
    {
        var action = (engine as RbacPolicyEngine)?.Action;
        return (action, decision.Policy) switch
        {
            (RbacAction.Allow, { } policy) => $"Allowed by policy {policy}.",
            (RbacAction.Allow, null) => "Denied: there are ALLOW policies, and none of them matches.",
            (RbacAction.Deny, { } policy) => $"Denied by policy {policy}.",
            (RbacAction.Deny, null) => "Not denied: no DENY policy matches.",
            (RbacAction.Log, { } policy) => $"Marked for the access log by policy {policy}.",
            (RbacAction.Log, null) => "Not marked for the access log: no LOG policy matches.",
            (_, { } policy) => $"{(decision.Allowed ? "Allowed" : "Denied")} by {policy} of the match tree.",
            _ => $"{(decision.Allowed ? "Allowed" : "Denied")}: the match tree finds nothing.",
        };
    }

    private static List<RejectedChoice> WhyNot(
        RbacPolicyEngine engine, MessageMap<Policy> definitions, in RbacDecision decision, in RbacContext context)
    {
        var rejected = new List<RejectedChoice>();
        foreach (var policy in engine.Policies)
        {
            if (policy.Name == decision.Policy)
            {
                break;
            }
            var why = policy.WhyNot(context) ?? "it matches";
            rejected.Add(new RejectedChoice(policy.Name,
                definitions.TryGetValue(policy.Name, out var definition) ? $"{why}: {Quoted(definition, why)}" : why));
        }
        return rejected;
    }

    private static string Quoted(Policy policy, string why) => why.Contains("principals", StringComparison.Ordinal)
        ? string.Join(" or ", policy.Principals.Select(static one => MessageTexts.Short(one.Message)))
        : string.Join(" or ", policy.Permissions.Select(static one => MessageTexts.Short(one.Message)));
}
