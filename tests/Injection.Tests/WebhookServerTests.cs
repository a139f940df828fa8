using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Offline;
using MeshProxy.Injection.Webhook;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class WebhookServerTests
{
    [Fact]
    public async Task Over_TLS_with_the_published_authority_a_pod_gets_its_proxy()
    {
        var trusted = "";
        var certificates = new ServingCertificates(
            new MemoryAuthorityStore(),
            (bundle, _) =>
            {
                trusted = bundle;
                return Task.CompletedTask;
            },
            ["localhost"],
            TimeProvider.System);
        await certificates.RenewAsync(default);
        var metrics = new WebhookMetrics();
        var (listen, monitoring) = (FreeAddress(), FreeAddress());
        await using var server = new WebhookServer(
            listen, () => certificates.Current!, monitoring, Reviewer(metrics), metrics, () => true);
        await server.StartAsync(default);

        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            Authority.Certificates(trusted).Any(root => certificate!.Issuer == root.Subject);
        using var client = new HttpClient(handler);
        var review = """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","namespace":"shop","object":{"metadata":{"name":"one"},"spec":{"containers":[{"name":"app"}]}}}}""";
        var body = new StringContent(review, Encoding.UTF8);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answered = await client.PostAsync($"https://localhost:{listen.Port}/inject", body);
        var response = JsonNode.Parse(await answered.Content.ReadAsStringAsync())!["response"]!;
        Assert.True((bool)response["allowed"]!);
        Assert.Equal("JSONPatch", (string)response["patchType"]!);

        var shown = await client.GetStringAsync($"http://{monitoring}/metrics");
        Assert.Contains("sidecar_injection_success_total 1\n", shown);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync($"http://{monitoring}/inject", body)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"http://{monitoring}/readyz")).StatusCode);
    }

    private static AdmissionReviewer Reviewer(WebhookMetrics metrics) => new(
        () => new WebhookConfiguration(Given.Values(), Given.Mesh()),
        new ReviewerSettings { Revision = "", NativeSidecars = NativeSidecarMode.Always },
        metrics,
        _ => { });

    private static IPEndPoint FreeAddress()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }
}
