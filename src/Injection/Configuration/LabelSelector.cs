using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>A Kubernetes label selector (meta/v1 LabelSelector): all of its requirements must hold.</summary>
public sealed class LabelSelector
{
    private readonly ImmutableArray<Requirement> _requirements;

    private LabelSelector(ImmutableArray<Requirement> requirements, string? invalid)
    {
        _requirements = requirements;
        Invalid = invalid;
    }

    /// <summary>Why the selector cannot be used, or null. Such a selector matches nothing.</summary>
    public string? Invalid { get; }

    /// <summary>An empty selector matches nothing here: selecting every pod is what the policy is for.</summary>
    public bool Matches(IReadOnlyDictionary<string, string> labels) =>
        Invalid is null && !_requirements.IsEmpty && _requirements.All(requirement => requirement.Holds(labels));

    public static LabelSelector From(JsonObject selector)
    {
        var requirements = ImmutableArray.CreateBuilder<Requirement>();
        foreach (var (label, value) in selector.TextMap("matchLabels"))
            requirements.Add(new Requirement(label, "In", [value]));
        string? invalid = null;
        foreach (var expression in selector.Members("matchExpressions"))
        {
            var requirement = new Requirement(
                expression.Text("key") ?? "", expression.Text("operator") ?? "", InjectionValues.Texts(expression, "values"));
            invalid ??= requirement.Invalid;
            requirements.Add(requirement);
        }
        return new LabelSelector(requirements.ToImmutable(), invalid);
    }

    private sealed record Requirement(string Label, string Operator, ImmutableArray<string> Values)
    {
        public string? Invalid => (Operator, Values.IsEmpty) switch
        {
            ("In" or "NotIn", false) or ("Exists" or "DoesNotExist", true) => null,
            ("In" or "NotIn", true) => $"operator {Operator} of label \"{Label}\" needs values",
            ("Exists" or "DoesNotExist", false) => $"operator {Operator} of label \"{Label}\" takes no values",
            _ => $"operator \"{Operator}\" of label \"{Label}\" is none of In, NotIn, Exists, DoesNotExist",
        };

        public bool Holds(IReadOnlyDictionary<string, string> labels)
        {
            var present = labels.TryGetValue(Label, out var value);
            return Operator switch
            {
                "In" => present && Values.Contains(value!),
                "NotIn" => !present || !Values.Contains(value!),
                "Exists" => present,
                _ => !present,
            };
        }
    }
}
