using Envoy.Config.Overload.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Server.Overload;

/// <summary>Checks typed_config of actions: reduce_timeouts alone has one, which it needs, and each timer may stand there once.</summary>
internal static class TimerScaling
{
    private const string ReduceTimeouts = "envoy.overload_actions.reduce_timeouts";

    public static void Check(Envoy.Config.Overload.V3.OverloadAction action)
    {
        if (action.Name != ReduceTimeouts)
        {
            if (action.TypedConfig is not null)
            {
                throw new ConfigurationException($"Overload action {action.Name} has an unexpected value for the typed_config field");
            }
            return;
        }
        if (action.TypedConfig is not { } any || !any.TryUnpack<ScaleTimersOverloadActionConfig>(out var config))
        {
            throw new ConfigurationException(
                $"Overload action {ReduceTimeouts}: Unable to unpack typed_config as envoy.config.overload.v3.ScaleTimersOverloadActionConfig");
        }
        var seen = new HashSet<int>();
        foreach (var factor in config.TimerScaleFactors)
        {
            if (!seen.Add((int)factor.Timer))
            {
                throw new ConfigurationException($"Found duplicate entry for timer type {factor.Timer}");
            }
        }
    }
}
