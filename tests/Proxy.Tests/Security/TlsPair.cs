using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Security.Tls;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>A client and a server of ours on one loop, joined in memory; contexts are written as in a configuration.</summary>
internal sealed class TlsPair
{
    private static readonly IPEndPoint ClientAddress = new(IPAddress.Loopback, 40000);
    private static readonly IPEndPoint ServerAddress = new(IPAddress.Loopback, 443);

    private readonly EventLoop _loop;

    public TlsPair(EventLoop loop, string downstream, string upstream, ISecretManager? secrets = null)
    {
        _loop = loop;
        ServerStats = new TestContext(loop, secrets);
        ClientStats = new TestContext(loop, secrets);
        var sockets = new TransportSockets(Contexts);
        Server = sockets.CompileDownstream(Socket<DownstreamTlsContext>(downstream), ServerStats);
        Client = sockets.Compile(Socket<UpstreamTlsContext>(upstream), ClientStats);
    }

    public TlsContextManager Contexts { get; } = new();

    public IDownstreamTransportSocketFactory Server { get; }

    public IUpstreamTransportSocketFactory Client { get; }

    public TestContext ServerStats { get; }

    public TestContext ClientStats { get; }

    public static TransportSocket Socket<T>(string yaml)
        where T : struct, IMessage<T>
    {
        var socket = TransportSocket.New();
        socket.Name = "envoy.transport_sockets.tls";
        socket.TypedConfig = Any.Pack(MessageJson.ParseYaml<T>(yaml, new JsonReadOptions()));
        return socket;
    }

    public static string Certificate((string Certificate, string Key) pair) =>
        $"{{ certificate_chain: {{ inline_string: {Quote(pair.Certificate)} }}, private_key: {{ inline_string: {Quote(pair.Key)} }} }}";

    public static string Inline(string pem) => $"{{ inline_string: {Quote(pem)} }}";

    /// <summary>Connects; both ends record what happens to them.</summary>
    public Ends Connect(TransportSocketOptions? options = null, string hostname = "")
    {
        Ends? ends = null;
        _loop.Invoke(() =>
        {
            var (client, server) = ConnectionFactory.CreateMemoryPair(
                _loop, Client.Create(options, new NamedHost(hostname)), Server.Create(), ClientAddress, ServerAddress);
            ends = new Ends(client, new ConnectionRecorder(), server, new ConnectionRecorder());
            ends.ClientRecorder.Attach(client);
            ends.ServerRecorder.Attach(server);
            server.Start();
            client.Connect();
        });
        return ends!;
    }

    public void Write(Connection connection, string text, bool endStream = false) => _loop.Invoke(() =>
    {
        var buffer = new ByteBuffer();
        buffer.Append(Encoding.UTF8.GetBytes(text));
        connection.Write(buffer, endStream);
    });

    public static string Read(ConnectionRecorder recorder) => Encoding.UTF8.GetString(LoopFixture.Await(recorder.Reads).Data);

    public static string Event(ConnectionRecorder recorder) => LoopFixture.Await(recorder.Events);

    private static string Quote(string text) => $"\"{text.Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    internal sealed record Ends(
        Connection Client, ConnectionRecorder ClientRecorder, Connection Server, ConnectionRecorder ServerRecorder);

    private sealed class NamedHost(string hostname) : Host
    {
        public override ICluster Cluster => throw new NotSupportedException();

        public override EndPoint Address => ServerAddress;

        public override string AddressText => ServerAddress.ToString();

        public override string Hostname => hostname;

        public override MeshProxy.Proxy.Upstream.Locality Locality => MeshProxy.Proxy.Upstream.Locality.None;

        public override uint Priority => 0;

        public override uint Weight => 1;

        public override DynamicMetadata Metadata => throw new NotSupportedException();

        public override HostHealth Health => HostHealth.Healthy;

        public override HostStats Stats { get; } = new();

        public override IUpstreamTransportSocketFactory TransportSocketFactory => throw new NotSupportedException();

        public override IOutlierMonitor Outlier => throw new NotSupportedException();

        public override bool Canary => false;

        public override void SetUnhealthyByTraffic()
        {
        }
    }
}
