using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using MeshProxy.Demo.Network;
using MeshProxy.EndToEnd.Alone;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>Bytes that are no protocol, on each kind of port: the process lives, and serves as before.</summary>
[Trait("Category", "EndToEnd")]
public sealed class BadBytesTests
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    [ExecutableTheory]
    [InlineData("HTTP/1", "")]
    [InlineData("HTTP/2", "")]
    [InlineData("either", "")]
    [InlineData("either", "tls")]
    [InlineData("either", "tls_inspector")]
    [InlineData("either", "http_inspector")]
    [InlineData("either", "proxy_protocol")]
    [InlineData("TCP", "")]
    [InlineData("TCP", "tls")]
    public async Task A_listener_serves_on_after_bytes_that_it_refuses(string protocol, string before)
    {
        await using var backend = await Backend.StartAsync();
        var ports = Ports.Free(2);
        await using var proxy = await BareProxy.StartAsync(
            TestConfiguration.Clusters(backend),
            $"{TestConfiguration.Listener(ports[0])}, {Listener(ports[1], protocol, before)}");
        await BadBytes.SendAsync(ports[1]);
        await AssertServesAsync(proxy, ports[0]);
        // The port itself too: another round meets no closed port and leaves nothing behind.
        await BadBytes.SendAsync(ports[1]);
        await proxy.Process.WaitUntilAsync(
            async () => await proxy.StatAsync("listener.127.0.0.1_" + ports[1] + ".downstream_cx_active") == 0,
            StartLimit, CancellationToken.None);
        Assert.True(await proxy.StatAsync("listener.127.0.0.1_" + ports[1] + ".downstream_cx_total") > 0);
        await AssertServesAsync(proxy, ports[0]);
    }

    [ExecutableFact]
    public async Task The_administration_interface_serves_on()
    {
        await using var backend = await Backend.StartAsync();
        var port = Ports.Free(1)[0];
        await using var proxy = await BareProxy.StartAsync(
            TestConfiguration.Clusters(backend), TestConfiguration.Listener(port));
        await BadBytes.SendAsync(proxy.Admin.BaseAddress!.Port);
        await AssertServesAsync(proxy, port);
    }

    [ExecutableFact]
    public async Task The_control_plane_serves_on()
    {
        using var folder = new TemporaryFolder();
        var port = Ports.Free(1)[0];
        await using var process = ChildProcess.Start(
            "the control plane",
            [MeshFactAttribute.Executable, "control-plane", "--dir", folder.Path, "--listen", $"127.0.0.1:{port}"]);
        using var client = Client(port, HttpVersion.Version20);
        await process.WaitUntilAsync(() => AnswersAsync(client, "readyz"), StartLimit, CancellationToken.None);
        await BadBytes.SendAsync(port);
        for (var i = 0; i < 30; i++)
        {
            // A frame of gRPC around bytes that are no message.
            var noise = BadBytes.Next(new Random(i), i);
            byte[] frame = [0, 0, 0, (byte)(noise.Length >> 8), (byte)noise.Length, .. noise];
            using var answer = await PostAsync(
                client, "envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources", frame,
                "application/grpc");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.True(await AnswersAsync(client, "readyz"));
        Assert.True(process.IsRunning);
    }

    [ExecutableFact]
    public async Task The_webhook_serves_on()
    {
        var port = Ports.Free(1)[0];
        await using var process = ChildProcess.Start(
            "the webhook", [MeshFactAttribute.Executable, "webhook", "--http", $"127.0.0.1:{port}", "--kubelets", ""]);
        using var client = Client(port, HttpVersion.Version11);
        await process.WaitUntilAsync(() => IsOpenAsync(port), StartLimit, CancellationToken.None);
        await BadBytes.SendAsync(port);
        for (var i = 0; i < 30; i++)
        {
            using var refused = await PostAsync(client, "inject", BadBytes.Next(new Random(i), i), "application/json");
            // An empty body is none; any other is one that cannot be understood, which Kubernetes is told in a review.
            Assert.Contains(refused.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.BadRequest });
        }

        using var answer = await PostAsync(client, "inject", Review, "application/json");
        using var review = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.True(review.RootElement.GetProperty("response").GetProperty("allowed").GetBoolean());
        Assert.True(process.IsRunning);
    }

    private static byte[] Review => """
        {
          "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
          "request": { "uid": "1", "namespace": "shop", "object": {
            "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "web" },
            "spec": { "containers": [{ "name": "web", "image": "web" }] }
          } }
        }
        """u8.ToArray();

    private static async Task AssertServesAsync(BareProxy proxy, int port)
    {
        foreach (var protocol in (string[])["HTTP/1.1", "HTTP/2", "gRPC"])
        {
            using var caller = new Caller(protocol, port);
            await caller.CallAsync("/");
        }

        Assert.True(await proxy.IsLiveAsync());
        Assert.DoesNotContain("internal error", proxy.Process.Said(), StringComparison.OrdinalIgnoreCase);
    }

    private static string Listener(int port, string protocol, string before)
    {
        var filter = protocol switch
        {
            "TCP" => """
                {
                  "name": "envoy.filters.network.tcp_proxy",
                  "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    "stat_prefix": "tcp", "cluster": "http1"
                  }
                }
                """,
            "HTTP/1" => TestConfiguration.HttpManager.Replace("AUTO", "HTTP1", StringComparison.Ordinal),
            "HTTP/2" => TestConfiguration.HttpManager.Replace("AUTO", "HTTP2", StringComparison.Ordinal),
            _ => TestConfiguration.HttpManager,
        };
        return $$"""
            {
              "name": "tried",
              "address": { "socket_address": { "address": "127.0.0.1", "port_value": {{port}} } },
              "listener_filters_timeout": "1s", "listener_filters": [{{ListenerFilter(before)}}],
              "filter_chains": [{ "filters": [{{filter}}]{{(before == "tls" ? Tls() : "")}} }]
            }
            """;
    }

    private static string ListenerFilter(string name) => name switch
    {
        "tls_inspector" => ListenerFilter(name, "TlsInspector"),
        "http_inspector" => ListenerFilter(name, "HttpInspector"),
        "proxy_protocol" => ListenerFilter(name, "ProxyProtocol"),
        _ => "",
    };

    private static string ListenerFilter(string name, string message) => $$"""
        {
          "name": "envoy.filters.listener.{{name}}",
          "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.listener.{{name}}.v3.{{message}}" }
        }
        """;

    private static string Tls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=web", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return $$"""
            , "transport_socket": { "name": "envoy.transport_sockets.tls", "typed_config": {
              "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
              "common_tls_context": { "tls_certificates": [{
                "certificate_chain": { "inline_string": {{JsonSerializer.Serialize(certificate.ExportCertificatePem())}} },
                "private_key": { "inline_string": {{JsonSerializer.Serialize(key.ExportPkcs8PrivateKeyPem())}} }
              }] }
            } }
            """;
    }

    private static HttpClient Client(int port, Version version) => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}/"),
        Timeout = StartLimit,
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, byte[] body, string type)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await client.PostAsync(path, content);
    }

    private static async Task<bool> AnswersAsync(HttpClient client, string path)
    {
        try
        {
            using var answer = await client.GetAsync(path);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<bool> IsOpenAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
