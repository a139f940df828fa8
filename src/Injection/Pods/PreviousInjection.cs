using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// What an earlier injection left in the pod. Manifests are exported, re-applied and reinvoked: injecting our own output
/// must give the same output.
/// </summary>
internal sealed record PreviousInjection
{
    private static readonly string[] MeshContainers =
    [
        MeshNames.ProxyContainer, MeshNames.InitContainer, MeshNames.ValidationContainer, MeshNames.CoreDumpContainer,
    ];

    /// <summary>Whether the pod carries a status annotation.</summary>
    public bool Injected { get; private init; }

    /// <summary>Probes of the application that were rewritten then: the originals are nowhere else.</summary>
    public string? Probers { get; private init; }

    /// <summary>The application's own scraping, whose annotations were replaced then.</summary>
    public string? PrometheusScraping { get; private init; }

    /// <summary>
    /// Takes the earlier injection out of the pod: its containers, its annotations, and puts back the user's own versions
    /// of injected containers.
    /// </summary>
    public static PreviousInjection Remove(PodDocument pod, int statusPort)
    {
        var status = JsonText.TryParse(pod.Annotation(MeshNames.Status)) as JsonObject;
        var overrides = JsonText.TryParse(pod.Annotation(MeshNames.Overrides)) as JsonObject;
        if (pod.Annotation(MeshNames.Status) is null)
            return new PreviousInjection();
        var found = new PreviousInjection
        {
            Injected = true,
            Probers = pod.Proxy()?.Named("env", MeshNames.ProbersVariable).Text("value"),
            PrometheusScraping = pod.Proxy()?.Named("env", MeshNames.PrometheusVariable).Text("value"),
        };
        foreach (var name in Ours(status, overrides))
        {
            RemoveNamed(pod.Spec.List("containers"), name);
            RemoveNamed(pod.Spec.List("initContainers"), name);
        }
        Reinsert(pod, overrides, "containers");
        Reinsert(pod, overrides, "initContainers");
        if (PrometheusMerge.PortOf(pod) == statusPort.ToString(CultureInfo.InvariantCulture))
            PrometheusMerge.Clear(pod);
        pod.Annotations.Remove(MeshNames.Status);
        return found;
    }

    // A container that a template touched but the user brought (grpc-agent's application) stays as it is now.
    private static ImmutableHashSet<string> Ours(JsonObject? status, JsonObject? overrides)
    {
        string[] kinds = ["containers", "initContainers"];
        var users = kinds.SelectMany(kind => overrides.Members(kind)).Select(c => c.Text("name"))
            .Where(name => !MeshContainers.Contains(name)).ToHashSet(StringComparer.Ordinal);
        return [.. kinds.SelectMany(kind => status.List(kind) ?? []).Select(NodeReading.AsText).OfType<string>()
            .Where(name => !users.Contains(name))];
    }

    private static void RemoveNamed(JsonArray? containers, string name)
    {
        foreach (var container in containers?.OfType<JsonObject>().Where(c => c.Text("name") == name).ToList() ?? [])
            containers!.Remove(container);
    }

    private static void Reinsert(PodDocument pod, JsonObject? overrides, string kind)
    {
        foreach (var container in overrides.Members(kind))
        {
            if (pod.AllContainers().All(present => present.Text("name") != container.Text("name")))
                pod.Spec.RequireList(kind).Add(container.DeepClone());
        }
    }
}
