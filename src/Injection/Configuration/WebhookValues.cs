using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>`sidecarInjectorWebhook` of the values: which pods are injected and with which templates.</summary>
public sealed record WebhookValues
{
    public required bool RewriteProbes { get; init; }
    public required ImmutableArray<LabelSelector> NeverInject { get; init; }
    public required ImmutableArray<LabelSelector> AlwaysInject { get; init; }
    public required IReadOnlyDictionary<string, string> InjectedAnnotations { get; init; }
    public required ImmutableArray<string> DefaultTemplates { get; init; }

    /// <summary>Custom templates by name: YAML fragments of a pod with `${...}` placeholders.</summary>
    public required IReadOnlyDictionary<string, string> Templates { get; init; }
    public required ImmutableDictionary<string, ImmutableArray<string>> Aliases { get; init; }

    internal static WebhookValues From(JsonObject? webhook) => new()
    {
        RewriteProbes = webhook.Flag("rewriteAppHTTPProbe"),
        NeverInject = Selectors(webhook, "neverInjectSelector"),
        AlwaysInject = Selectors(webhook, "alwaysInjectSelector"),
        InjectedAnnotations = webhook.TextMap("injectedAnnotations"),
        DefaultTemplates = InjectionValues.Texts(webhook, "defaultTemplates"),
        Templates = webhook.TextMap("templates"),
        Aliases = (webhook.Object("aliases") ?? []).ToImmutableDictionary(
            alias => alias.Key,
            alias => InjectionValues.Texts(webhook.Object("aliases"), alias.Key)),
    };

    private static ImmutableArray<LabelSelector> Selectors(JsonNode? webhook, string name) =>
        [.. webhook.Members(name).Select(LabelSelector.From)];
}
