using System.Text;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>How one metric is labelled: the standard labels as changed by the configuration, then further ones.</summary>
/// <param name="family">Its series.</param>
/// <param name="overrides">By standard label: the expression that gives its value, or <see cref="Removed"/>; absent ones stay as they are.</param>
/// <param name="additions">Further labels with the expressions that give their values.</param>
internal sealed class MetricPlan(
    MetricFamily family, IReadOnlyDictionary<int, int> overrides, IReadOnlyList<(string Name, int Expression)> additions)
{
    public const int Removed = -1;

    /// <summary>Stands for every value that is folded.</summary>
    private const string Other = "other";

    public MetricFamily Family => family;

    /// <summary>The configuration changes nothing: the labels are those of every other such metric.</summary>
    public bool IsPlain => overrides.Count == 0 && additions.Count == 0;

    /// <param name="values">Values by standard label; null where this kind of exchange has none.</param>
    /// <param name="expressions">Values of the configuration's expressions.</param>
    /// <param name="folded">Names of peers and services, and values of expressions, become `other`.</param>
    public KeyValuePair<string, string>[] Labels(string?[] values, string[] expressions, bool folded)
    {
        var labels = new List<KeyValuePair<string, string>>(values.Length + additions.Count);
        for (var tag = 0; tag < values.Length; tag++)
        {
            if (values[tag] is not { } value)
            {
                continue;
            }
            var fold = folded && !IstioTags.DescribesOutcome(tag);
            if (!overrides.TryGetValue(tag, out var expression))
            {
                labels.Add(new(IstioTags.Name(tag), fold ? Other : value));
            }
            else if (expression != Removed)
            {
                labels.Add(new(IstioTags.Name(tag), folded ? Other : expressions[expression]));
            }
        }
        foreach (var (name, expression) in additions)
        {
            labels.Add(new(name, folded ? Other : expressions[expression]));
        }
        return [.. labels];
    }

    /// <summary>The labels as Envoy joins them to a name: `label.value.label.value`.</summary>
    public static string Text(KeyValuePair<string, string>[] labels)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in labels)
        {
            text.Append(text.Length == 0 ? "" : ".").Append(name).Append('.').Append(value);
        }
        return text.ToString();
    }
}
