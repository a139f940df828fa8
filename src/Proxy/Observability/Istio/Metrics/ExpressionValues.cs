using System.Globalization;
using MeshProxy.Proxy.Matching.Cel;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Values of a configuration's expressions for one exchange.</summary>
internal static class ExpressionValues
{
    private static readonly string[] None = [];

    public static string[] Evaluate(IstioStatsSettings settings, in LogContext context)
    {
        if (settings.Expressions.Length == 0)
        {
            return None;
        }
        var values = new string[settings.Expressions.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Text(settings.Expressions[i].Evaluate(context));
        }
        return values;
    }

    /// <summary>What an expression gives as an amount; 0 for what is no number.</summary>
    public static ulong Amount(string value) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) ? amount : 0;

    // As Envoy prints a CelValue; an error is `unknown`.
    private static string Text(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Error => IstioLabels.Unknown,
            CelKind.Null => "NULL",
            _ => value.ToText() ?? (value.Kind == CelKind.List ? "list value" : "map value"),
        };
}
