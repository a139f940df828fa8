using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// Keeps our authority in `caBundle` of the webhook configurations. It is applied under a field manager of its own that
/// owns that field alone, so neither Helm's upgrades nor other controllers and we undo each other's work.
/// </summary>
internal sealed class WebhookConfigurationPatcher
{
    private const string Collection = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    private const string FieldManager = "meshproxy-injector";

    private readonly KubernetesApi _api;
    private readonly IReadOnlyList<string> _names;
    private readonly string _revision;
    private readonly WebhookMetrics _metrics;
    private readonly Action<string> _log;
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);
    private string _bundle = "";

    public WebhookConfigurationPatcher(
        KubernetesApi api, IReadOnlyList<string> names, string revision, WebhookMetrics metrics, Action<string> log)
    {
        (_api, _names, _metrics, _log) = (api, names, metrics, log);
        _revision = revision.Length > 0 ? revision : "default";
    }

    /// <summary>Writes the bundle wherever it differs; throws if that fails.</summary>
    public async Task PublishAsync(string bundlePem, CancellationToken stop)
    {
        Volatile.Write(ref _bundle, Convert.ToBase64String(Encoding.ASCII.GetBytes(bundlePem)));
        foreach (var name in _names)
        {
            if (await _api.GetAsync($"{Collection}/{name}", stop).ConfigureAwait(false) is { } configuration)
                await PatchAsync(configuration, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Repairs configurations that somebody else changes or makes.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_names.Select(name =>
        new ObjectWatch(_api, Collection, $"metadata.name={name}", _log)
        {
            Listed = async (objects, cancel) =>
            {
                foreach (var configuration in objects)
                    await PatchAsync(configuration, cancel).ConfigureAwait(false);
            },
            Changed = (configuration, gone, cancel) => gone ? Task.CompletedTask : PatchAsync(configuration, cancel),
        }.RunAsync(stop)));

    private async Task PatchAsync(JsonObject configuration, CancellationToken stop)
    {
        var name = configuration.Object("metadata").Text("name")!;
        var bundle = Volatile.Read(ref _bundle);
        var outdated = configuration.Members("webhooks")
            .Any(webhook => webhook.Object("clientConfig").Text("caBundle") != bundle);
        if (bundle.Length == 0 || !outdated || !IsOurs(name, configuration))
            return;
        var entries = configuration.Members("webhooks").Select(webhook => new JsonObject
        {
            ["name"] = webhook.Text("name"),
            ["clientConfig"] = new JsonObject { ["caBundle"] = bundle },
        });
        var patch = new JsonObject
        {
            ["apiVersion"] = "admissionregistration.k8s.io/v1",
            ["kind"] = "MutatingWebhookConfiguration",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["webhooks"] = new JsonArray([.. entries]),
        };
        try
        {
            await _api.PatchAsync(
                $"{Collection}/{name}?fieldManager={FieldManager}&force=true", patch, KubernetesApi.Apply, stop).ConfigureAwait(false);
            _metrics.CountPatch(succeeded: true);
            _log($"wrote the certificate authority into {name}");
        }
        catch (KubernetesException)
        {
            _metrics.CountPatch(succeeded: false);
            throw;
        }
    }

    // Two revisions must not write into each other's configuration.
    private bool IsOurs(string name, JsonObject configuration)
    {
        var revision = configuration.Object("metadata").Object("labels").Text(MeshNames.Revision);
        if (revision is null || revision == _revision)
            return true;
        if (_told.TryAdd(name, true))
            _log($"{name} is left alone: its revision is {revision} and ours is {_revision}");
        return false;
    }
}
