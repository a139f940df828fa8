namespace MeshProxy.Interception.Rules;

/// <summary>
/// Chains rules go to. Those of our own have the names Istio's tools use, so that either tool recognises, leaves alone
/// or removes what the other set up.
/// </summary>
public static class Chains
{
    public const string OwnPrefix = "ISTIO_";

    public const string Prerouting = "PREROUTING";
    public const string Input = "INPUT";
    public const string Forward = "FORWARD";
    public const string Output = "OUTPUT";

    public const string OwnInbound = "ISTIO_INBOUND";
    public const string OwnOutbound = "ISTIO_OUTPUT";
    public const string OutboundRedirect = "ISTIO_REDIRECT";
    public const string InboundRedirect = "ISTIO_IN_REDIRECT";
    public const string Dns = "ISTIO_OUTPUT_DNS";
    public const string Divert = "ISTIO_DIVERT";
    public const string TransparentProxy = "ISTIO_TPROXY";
    public const string DropInvalid = "ISTIO_DROP";

    public static bool IsOwn(string chain) => chain.StartsWith(OwnPrefix, StringComparison.Ordinal);
}
