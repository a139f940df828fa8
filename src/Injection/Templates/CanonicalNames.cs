using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>The names that metrics and traces group a workload by.</summary>
internal static class CanonicalNames
{
    // The longest label value Kubernetes takes.
    private const int LongestLabel = 63;

    public static string Service(TemplateInput input)
    {
        var name = First(input, MeshNames.CanonicalNameLabel, "app.kubernetes.io/name", "app") ?? input.Owner.Name;
        return name.Length <= LongestLabel ? name : name[..LongestLabel].TrimEnd('-', '_', '.');
    }

    public static string Revision(TemplateInput input) =>
        First(input, MeshNames.CanonicalRevisionLabel, "app.kubernetes.io/version", "version") ?? "latest";

    private static string? First(TemplateInput input, params ReadOnlySpan<string> labels)
    {
        foreach (var label in labels)
        {
            if (input.Pod.Label(label) is { Length: > 0 } value)
                return value;
        }
        return null;
    }
}
