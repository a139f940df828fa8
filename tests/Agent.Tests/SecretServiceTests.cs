using System.Net.Sockets;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Discovery;
using MeshProxy.Agent.Security;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>The socket that the proxy gets its secrets from.</summary>
public sealed class SecretServiceTests : IAsyncLifetime
{
    private const string Socket = "var/run/secrets/workload-spiffe-uds/socket";
    private static readonly Uri Method = new("http://sds/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PodFolder _pod = new();
    private readonly AgentSecrets _secrets = new();
    private readonly HttpClient _client;
    private readonly IstiodConnection _istiod = new(
        "XDS", "127.0.0.1:1", isPlain: true, new AgentEnvironment(new Dictionary<string, string>()));
    private readonly LocalServer _server;

    public SecretServiceTests()
    {
        _server = new LocalServer(
            "etc/istio/proxy/XDS", Socket, new DiscoveryRelay(_istiod, null, static _ => { }), _secrets, static _ => { });
        var place = Path.Combine(_pod.Path, Socket);
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(place), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _istiod.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task What_was_issued_is_served_and_what_is_issued_later_is_pushed()
    {
        using var limit = new CancellationTokenSource(Patience);
        _secrets.Set(new WorkloadCredentials("chain 1", "key 1", "root 1"));
        using var stream = await GrpcStream.OpenAsync(_client, Method, [], limit.Token);
        stream.Send(Request("default", "").Message.ToBytes());
        var first = await ReceiveAsync(stream, limit.Token);
        Assert.Equal(("chain 1", "key 1"), Certificate(first));
        stream.Send(Request("default", first.Nonce, first.VersionInfo).Message.ToBytes());

        _secrets.Set(new WorkloadCredentials("chain 2", "key 2", "root 1"));
        var second = await ReceiveAsync(stream, limit.Token);
        Assert.Equal(("chain 2", "key 2"), Certificate(second));
        Assert.NotEqual(first.VersionInfo, second.VersionInfo);
    }

    [Fact]
    public async Task Who_asks_before_there_is_a_certificate_gets_it_when_it_comes()
    {
        using var limit = new CancellationTokenSource(Patience);
        using var stream = await GrpcStream.OpenAsync(_client, Method, [], limit.Token);
        stream.Send(Request("ROOTCA", "").Message.ToBytes());
        _secrets.Set(new WorkloadCredentials("chain 1", "key 1", "root 1"));
        var secret = Assert.Single((await ReceiveAsync(stream, limit.Token)).Resources).Unpack<Secret>();
        Assert.Equal("ROOTCA", secret.Name);
        Assert.Equal("root 1", Text(secret.ValidationContext!.Value.TrustedCa!.Value));
    }

    private static DiscoveryRequest Request(string name, string nonce, string version = "")
    {
        var node = Envoy.Config.Core.V3.Node.New();
        node.Id = "sidecar~10.42.0.10~web-0.shop~shop.svc.cluster.local";
        var request = DiscoveryRequest.New();
        request.Node = node;
        request.TypeUrl = Secret.Descriptor.TypeUrl;
        request.ResourceNames.Add(name);
        request.ResponseNonce = nonce;
        request.VersionInfo = version;
        return request;
    }

    private static async Task<DiscoveryResponse> ReceiveAsync(GrpcStream stream, CancellationToken stop) =>
        Message.Parse<DiscoveryResponse>((await stream.ReadAsync(stop))!);

    private static (string Chain, string Key) Certificate(DiscoveryResponse response)
    {
        var secret = Assert.Single(response.Resources).Unpack<Secret>().TlsCertificate!.Value;
        return (Text(secret.CertificateChain!.Value), Text(secret.PrivateKey!.Value));
    }

    private static string Text(Envoy.Config.Core.V3.DataSource source) =>
        source.InlineString.Length > 0 ? source.InlineString : System.Text.Encoding.UTF8.GetString(source.InlineBytes.Span);
}
