using Envoy.Type.V3;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Percentages of messages as integers.</summary>
internal static class Fractions
{
    public const uint Million = 1_000_000;

    /// <summary>A FractionalPercent in millionths; at most all of them.</summary>
    public static ulong PerMillion(FractionalPercent? percent)
    {
        if (percent is not { } fraction)
        {
            return 0;
        }
        ulong scale = fraction.Denominator switch
        {
            FractionalPercent.DenominatorType.Hundred => 10_000,
            FractionalPercent.DenominatorType.TenThousand => 100,
            _ => 1,
        };
        return Math.Min(Million, fraction.Numerator * scale);
    }
}
