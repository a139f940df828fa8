using System.Buffers.Binary;
using System.Text;
using MeshProxy.Proxy.Network.MetadataExchange;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Network;

/// <summary>The exchange over connections in memory. They negotiate no protocol, so here the empty one stands for Istio's.</summary>
public sealed class MetadataExchangeFilterTests : IDisposable
{
    private readonly LoopFixture _fixture = new();
    private readonly StatsStore _stats = new(2);
    private readonly ConnectionRecorder _client = new();
    private readonly ConnectionRecorder _server = new();
    private Connection _clientEnd = null!;
    private Connection _serverEnd = null!;

    [Fact]
    public void Each_side_learns_of_the_other_and_payload_stays_whole()
    {
        Connect(bothExchange: true);
        Write(_clientEnd, "ping");
        Assert.Equal("ping", Text(_server));
        Write(_serverEnd, "pong");
        Assert.Equal("pong", Text(_client));
        Assert.Equal("client", Peer(_serverEnd, WorkloadMetadata.DownstreamPeer));
        Assert.Equal("server", Peer(_clientEnd, WorkloadMetadata.UpstreamPeer));
    }

    [Fact]
    public void A_server_that_speaks_first_sends_its_metadata_first()
    {
        Connect(bothExchange: true);
        Write(_serverEnd, "220 ready");
        Assert.Equal("220 ready", Text(_client));
        Assert.Equal("server", Peer(_clientEnd, WorkloadMetadata.UpstreamPeer));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(100)]
    public void A_header_may_come_in_parts(int at)
    {
        Connect(bothExchange: false);
        var bytes = (byte[])[.. Header("client"), .. "ping"u8];
        Write(_clientEnd, bytes[..at]);
        Write(_clientEnd, bytes[at..]);
        Assert.Equal("ping", Text(_server));
        Assert.Equal("client", Peer(_serverEnd, WorkloadMetadata.DownstreamPeer));
    }

    [Fact]
    public void Without_the_magic_number_everything_is_payload()
    {
        Connect(bothExchange: false);
        Write(_clientEnd, "just plain bytes");
        Assert.Equal("just plain bytes", Text(_server));
        Assert.Null(Peer(_serverEnd, WorkloadMetadata.DownstreamPeer));
        Assert.Equal(1, Stat("initial_header_not_found"));
    }

    [Fact]
    public void A_peer_that_ends_within_the_header_is_passed_on()
    {
        Connect(bothExchange: false);
        _fixture.Loop.Invoke(() =>
        {
            _serverEnd.HalfCloseEnabled = true;
            _clientEnd.Write(Buffer("abc"u8), true);
        });
        Assert.Equal("abc", Text(_server));
    }

    [Fact]
    public void An_announcement_of_too_much_ends_the_connection()
    {
        Connect(bothExchange: false);
        var header = Header("client");
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), uint.MaxValue);
        Write(_clientEnd, header);
        Assert.Equal("LocalClose", LoopFixture.Await(_server.Events));
    }

    [Fact]
    public void Another_protocol_is_left_alone()
    {
        Connect(bothExchange: false, protocol: "istio-peer-exchange");
        Write(_clientEnd, "ping");
        Assert.Equal("ping", Text(_server));
        Assert.Equal(1, Stat("alpn_protocol_not_found"));
        Assert.Equal(0, Stat("metadata_added"));
    }

    public void Dispose() => _fixture.Dispose();

    private void Connect(bool bothExchange, string protocol = "") => _fixture.Loop.Invoke(() =>
    {
        var address = new InternalEndPoint("inner", "");
        (_clientEnd, _serverEnd) = ConnectionFactory.CreateMemoryPair(
            _fixture.Loop, new RawBufferSocket(), new RawBufferSocket(), address, address);
        if (bothExchange)
        {
            Config(protocol, "client", downstream: false).CreateFilter(_clientEnd);
        }
        Config(protocol, "server", downstream: true).CreateFilter(_serverEnd);
        _client.Attach(_clientEnd);
        _server.Attach(_serverEnd);
        _serverEnd.Start();
        _clientEnd.Connect();
        _clientEnd.AddCallbacks(_client);
        _ = LoopFixture.Await(_server.Events);
    });

    private MetadataExchangeConfig Config(string protocol, string workload, bool downstream) =>
        new(protocol, downstream, Header(workload), null,
            _stats.Root.Scope(workload).Scope("metadata_exchange").Block(MetadataExchangeStats.Layout));

    private static byte[] Header(string workload) => ExchangeHeader.Write(new WorkloadMetadata { Workload = workload }, $"sidecar~{workload}");

    private void Write(Connection connection, string text) => Write(connection, Encoding.ASCII.GetBytes(text));

    private void Write(Connection connection, byte[] bytes) => _fixture.Loop.Invoke(() => connection.Write(Buffer(bytes), false));

    private static ByteBuffer Buffer(ReadOnlySpan<byte> bytes)
    {
        var buffer = new ByteBuffer();
        buffer.Append(bytes);
        return buffer;
    }

    private static string Text(ConnectionRecorder recorder) => Encoding.ASCII.GetString(LoopFixture.Await(recorder.Reads).Data);

    private string? Peer(Connection connection, string key)
    {
        string? workload = null;
        _fixture.Loop.Invoke(() => workload = connection.StreamInfo.FilterState.Get<WorkloadMetadata>(key)?.Workload);
        return workload;
    }

    private long Stat(string name)
    {
        foreach (var stat in _stats.Collect(new StatQuery(false, null, static _ => true)))
        {
            if (stat.Name == $"server.metadata_exchange.{name}")
            {
                return stat.Value;
            }
        }
        throw new ArgumentException($"No stat {name}.");
    }
}
