using MeshProxy.Proxy.Configuration;
using Config = Envoy.Config.Overload.V3.Trigger;

namespace MeshProxy.Proxy.Server.Overload;

/// <summary>How much of an action the pressure of one resource calls for.</summary>
/// <param name="Scaling">Pressure above which the action begins.</param>
/// <param name="Saturation">Pressure at which it is fully on; equal to <paramref name="Scaling"/> for a threshold.</param>
internal sealed record OverloadTrigger(string Resource, double Scaling, double Saturation)
{
    public static OverloadTrigger Compile(Config config)
    {
        if (config.Threshold is { } threshold)
        {
            return new OverloadTrigger(config.Name, threshold.Value, threshold.Value);
        }
        var scaled = config.Scaled ?? throw new ConfigurationException($"overload trigger '{config.Name}': action not set; give threshold or scaled.");
        if (scaled.ScalingThreshold >= scaled.SaturationThreshold)
        {
            throw new ConfigurationException("scaling_threshold must be less than saturation_threshold");
        }
        return new OverloadTrigger(config.Name, scaled.ScalingThreshold, scaled.SaturationThreshold);
    }

    public double Value(double pressure) =>
        pressure >= Saturation ? 1 : pressure <= Scaling ? 0 : (pressure - Scaling) / (Saturation - Scaling);
}
