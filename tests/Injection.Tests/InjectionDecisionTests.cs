using MeshProxy.Injection.Pods;
using Xunit;
using static MeshProxy.Injection.Pods.InjectionDecision;

namespace MeshProxy.Injection.Tests;

public class InjectionDecisionTests
{
    private const string Always = "sidecarInjectorWebhook: {alwaysInjectSelector: [{matchLabels: {}}, {matchLabels: {a: yes-please}}]}";
    private const string Never = "sidecarInjectorWebhook: {neverInjectSelector: [{matchExpressions: [{key: a, operator: Exists}]}]}";
    private const string Both = """
        sidecarInjectorWebhook:
          alwaysInjectSelector: [{matchLabels: {a: yes-please}}]
          neverInjectSelector: [{matchLabels: {a: yes-please}}]
        """;

    [Theory]
    [InlineData("enabled", null, null, "", Outcome.Inject)]
    [InlineData("enabled", "true", null, "", Outcome.Inject)]
    [InlineData("enabled", "false", null, "", Outcome.Disabled)]
    [InlineData("enabled", null, "false", "", Outcome.Disabled)]
    [InlineData("enabled", "maybe", null, "", Outcome.Inject)]
    [InlineData("disabled", null, null, "", Outcome.Disabled)]
    [InlineData("disabled", "true", null, "", Outcome.Inject)]
    [InlineData("disabled", "True", null, "", Outcome.Disabled)]
    [InlineData("disabled", null, "true", "", Outcome.Inject)]
    [InlineData("disabled", "false", "true", "", Outcome.Disabled)]
    [InlineData("disabled", "true", "false", "", Outcome.Inject)]
    [InlineData("wrong", "true", "true", "", Outcome.Disabled)]
    [InlineData("disabled", null, null, Always, Outcome.Inject)]
    [InlineData("enabled", null, null, Never, Outcome.Disabled)]
    [InlineData("enabled", "true", null, Never, Outcome.Inject)]
    [InlineData("enabled", null, null, Both, Outcome.Disabled)]
    public void Label_beats_annotation_beats_selectors_beats_policy(
        string policy, string? label, string? annotation, string values, object expected)
    {
        var pod = Given.Pod($$"""
            metadata:
              labels: {a: yes-please{{(label is null ? "" : $", sidecar.istio.io/inject: \"{label}\"")}}}
              annotations: { {{(annotation is null ? "" : $"sidecar.istio.io/inject: \"{annotation}\"")}} }
            """);
        var read = Given.Values($"global: {{proxy: {{autoInject: {policy}}}}}\n{values}");
        Assert.Equal(expected, Decide(new PodDocument(pod), "shop", read, _ => { }));
    }

    [Theory]
    [InlineData("spec: {hostNetwork: true}", "shop", Outcome.HostNetwork)]
    [InlineData("spec: {os: {name: windows}}", "shop", Outcome.Windows)]
    [InlineData("spec: {nodeSelector: {kubernetes.io/os: windows}}", "shop", Outcome.Windows)]
    [InlineData("spec: {}", "kube-system", Outcome.SystemNamespace)]
    public void Some_pods_never_get_a_proxy(string spec, string space, object expected)
    {
        var pod = Given.Pod("metadata: {labels: {sidecar.istio.io/inject: 'true'}}\n" + spec);
        Assert.Equal(expected, Decide(new PodDocument(pod), space, Given.Values(), _ => { }));
    }

    [Fact]
    public void A_selector_that_cannot_be_read_is_reported_and_matches_nothing()
    {
        List<string> warnings = [];
        var values = Given.Values(
            "sidecarInjectorWebhook: {neverInjectSelector: [{matchExpressions: [{key: a, operator: Near}]}]}");
        var decided = Decide(new PodDocument(Given.Pod("metadata: {labels: {a: b}}")), "shop", values, warnings.Add);
        Assert.Equal(Outcome.Inject, decided);
        Assert.Contains("Near", Assert.Single(warnings));
    }
}
