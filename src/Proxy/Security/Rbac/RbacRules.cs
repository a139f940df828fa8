using MeshProxy.Proxy.Configuration;
using Matcher = Xds.Type.Matcher.V3.Matcher;
using Rules = Envoy.Config.Rbac.V3.RBAC;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>The two engines of a filter: one that decides and one that is only tried; either may be absent.</summary>
internal sealed record RbacRules(RbacEngine? Enforced, RbacEngine? Shadow)
{
    public static RbacRules Compile(Rules? rules, Matcher? matcher, Rules? shadowRules, Matcher? shadowMatcher, FactoryContext context) => new(
        matcher is { } tree ? RbacCompiler.Compile(tree, context, "rbac.matcher")
            : rules is { } policies ? RbacCompiler.Compile(policies, context, "rbac.rules") : null,
        shadowMatcher is { } shadowTree ? RbacCompiler.Compile(shadowTree, context, "rbac.shadow_matcher")
            : shadowRules is { } tried ? RbacCompiler.Compile(tried, context, "rbac.shadow_rules") : null);

    /// <summary>`rbac_access_denied_matched_policy[…]`: blanks would shift the columns of logs.</summary>
    public static string Details(string? policy) =>
        $"rbac_access_denied_matched_policy[{(policy is null ? "none" : policy.Replace(' ', '_'))}]";
}
