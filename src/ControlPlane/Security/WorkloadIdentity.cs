using Envoy.Config.Core.V3;

namespace MeshProxy.ControlPlane.Security;

/// <summary>Who a node says it is, in Istio's form of a SPIFFE identity.</summary>
internal readonly record struct WorkloadIdentity(string TrustDomain, string Namespace, string ServiceAccount)
{
    /// <summary>`spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.</summary>
    public string Uri => $"spiffe://{TrustDomain}/ns/{Namespace}/sa/{ServiceAccount}";

    /// <summary>From a node's metadata NAMESPACE and SERVICE_ACCOUNT, or null when one is missing or no name of Kubernetes'.</summary>
    public static WorkloadIdentity? Of(Node node, string trustDomain)
    {
        var space = Text(node, "NAMESPACE");
        var account = Text(node, "SERVICE_ACCOUNT");
        return IsName(space) && IsName(account) ? new WorkloadIdentity(trustDomain, space, account) : null;
    }

    private static string Text(Node node, string name) =>
        node.Metadata is { } metadata && metadata.Fields.TryGetValue(name, out var value) ? value.StringValue : "";

    // RFC 1123 subdomains, Kubernetes' rule for both: anything else could write a different identity's path.
    private static bool IsName(string name) =>
        name.Length is > 0 and <= 253 && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.');
}
