using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Which templates a pod asks for, by annotation or by the values, and what they are.</summary>
internal static class TemplateSelection
{
    private static readonly Dictionary<string, ITemplate> BuiltIn = new(StringComparer.Ordinal)
    {
        ["sidecar"] = new SidecarTemplate(),
        ["gateway"] = new GatewayTemplate(),
        ["grpc-agent"] = new GrpcAgentTemplate(),
    };

    /// <exception cref="ManifestException">A name is no template.</exception>
    public static IReadOnlyList<ITemplate> Of(PodDocument pod, WebhookValues webhook)
    {
        var names = pod.Annotation(MeshNames.Templates)?.Split(',').Select(name => name.Trim()).ToArray()
            ?? (webhook.DefaultTemplates.IsEmpty ? ["sidecar"] : [.. webhook.DefaultTemplates]);
        return [.. names
            .SelectMany(name => webhook.Aliases.TryGetValue(name, out var several) ? several : [name])
            .Select(name => Find(name, webhook))];
    }

    private static ITemplate Find(string name, WebhookValues webhook)
    {
        if (webhook.Templates.TryGetValue(name, out var text))
            return new FragmentTemplate(name, text);
        if (BuiltIn.TryGetValue(name, out var template))
            return template;
        var known = BuiltIn.Keys.Concat(webhook.Templates.Keys).Order(StringComparer.Ordinal);
        throw new ManifestException(
            $"the template \"{name}\" does not exist: annotation {MeshNames.Templates} must name some of {string.Join(", ", known)}");
    }
}
