using Envoy.Config.Route.V3;
using Core = Envoy.Config.Core.V3.RetryPolicy;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>The retry policy of the proxy's own calls (core.v3.RetryPolicy) as the router takes it.</summary>
internal static class CoreRetryPolicy
{
    /// <summary>When nothing else is said, calls are retried on these conditions (Envoy's HTTP services).</summary>
    public const string DefaultRetryOn = "5xx,gateway-error,connect-failure,reset";

    public static RetryPolicy ToRoute(Core core, string retryOn)
    {
        var policy = RetryPolicy.New();
        policy.RetryOn = retryOn;
        policy.NumRetries = core.NumRetries ?? 1;
        if (core.RetryBackOff is { } given)
        {
            var backOff = RetryPolicy.RetryBackOff.New();
            backOff.BaseInterval = given.BaseInterval;
            backOff.MaxInterval = given.MaxInterval;
            policy.RetryBackOffValue = backOff;
        }
        return policy;
    }
}
