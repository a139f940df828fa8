using System.Text;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Webhook;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class WebhookConfigurationPatcherTests
{
    private const string Path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/injector";
    private const string Two = "{metadata: {name: injector, labels: {istio.io/rev: REVISION}}, webhooks: [{name: a, clientConfig: {service: {name: s}}}, {name: b}]}";

    [Fact]
    public async Task Each_entry_gets_the_bundle_and_nothing_else()
    {
        await using var cluster = await FakeKubernetes.StartAsync();
        cluster.Set(Path, Two.Replace("REVISION", "default"));
        using var api = cluster.Api();
        await Patcher(api).PublishAsync("PEM", default);
        var (_, body) = await cluster.Applied.Reader.ReadAsync();
        Assert.Equal(
            """[{"name":"a","clientConfig":{"caBundle":"UEVN"}},{"name":"b","clientConfig":{"caBundle":"UEVN"}}]""",
            body["webhooks"]!.ToJsonString());
        await Patcher(api).PublishAsync("PEM", default);
        Assert.False(cluster.Applied.Reader.TryRead(out _));
    }

    [Fact]
    public async Task What_an_upgrade_empties_is_written_again()
    {
        await using var cluster = await FakeKubernetes.StartAsync();
        cluster.Set(Path, Two.Replace("REVISION", "default"));
        using var api = cluster.Api();
        using var stop = new CancellationTokenSource();
        var patcher = Patcher(api);
        await patcher.PublishAsync("PEM", default);
        await cluster.Applied.Reader.ReadAsync();
        var running = patcher.RunAsync(stop.Token);
        // Whether the watch has begun or the list comes first, the change is seen.
        cluster.Set(Path, Two.Replace("REVISION", "default"));
        await cluster.Applied.Reader.ReadAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal("PEM", Encoding.ASCII.GetString(Convert.FromBase64String(
            cluster.Get(Path).Named("webhooks", "b").Object("clientConfig").Text("caBundle")!)));
        stop.Cancel();
        await running;
    }

    [Fact]
    public async Task Another_revisions_configuration_is_left_alone()
    {
        await using var cluster = await FakeKubernetes.StartAsync();
        cluster.Set(Path, Two.Replace("REVISION", "canary"));
        using var api = cluster.Api();
        await Patcher(api).PublishAsync("PEM", default);
        Assert.False(cluster.Applied.Reader.TryRead(out _));
    }

    private static WebhookConfigurationPatcher Patcher(KubernetesApi api) =>
        new(api, ["injector", "not-there"], "", new WebhookMetrics(), _ => { });
}
