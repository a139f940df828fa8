using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Transport;

/// <summary>Connections over real sockets against .NET's own, and over memory.</summary>
public sealed class StreamConnectionTests : IDisposable
{
    private readonly LoopFixture _fixture = new();

    private EventLoop Loop => _fixture.Loop;

    public static TheoryData<string> Addresses => ["127.0.0.1:0", "[::1]:0", "unix"];

    [Theory]
    [MemberData(nameof(Addresses))]
    public void Accepts_reads_writes_and_ends_in_order(string address)
    {
        var (server, connection, recorder, client) = Accepted(address);
        client.Send("hello"u8);
        Assert.Equal("hello", Text(recorder));

        Loop.Invoke(() => connection.Write(Buffer("world"), false));
        Assert.Equal("world", Receive(client, 5));

        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("RemoteClose", Next(recorder));
        Assert.Equal(DetectedCloseType.Normal, connection.DetectedCloseType);
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void Half_close_leaves_the_other_direction_open()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0", halfClose: true);
        client.Send("question"u8);
        client.Shutdown(SocketShutdown.Send);
        var text = "";
        bool end;
        do
        {
            var (data, last) = LoopFixture.Await(recorder.Reads);
            text += Encoding.ASCII.GetString(data);
            end = last;
        }
        while (!end);
        Assert.Equal("question", text);

        Loop.Invoke(() => connection.Write(Buffer("answer"), true));
        Assert.Equal("answer", Receive(client, 6));
        Assert.Equal(0, client.Receive(new byte[1]));
        Assert.Equal("LocalClose", Next(recorder));
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void A_reset_is_told_from_an_end()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0");
        client.LingerState = new LingerOption(true, 0);
        client.Close();
        Assert.Equal("RemoteClose", Next(recorder));
        Assert.Equal(DetectedCloseType.RemoteReset, connection.DetectedCloseType);
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void Our_abort_reaches_the_peer_as_a_reset()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0");
        Loop.Invoke(() => connection.Close(ConnectionCloseType.AbortReset));
        Assert.Equal("LocalClose", Next(recorder));
        var error = Assert.Throws<SocketException>(() => client.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void Closing_with_flush_loses_nothing_even_when_the_peer_is_slow()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0");
        var payload = new byte[8 * 1024 * 1024];
        new Random(1).NextBytes(payload);
        Loop.Invoke(() =>
        {
            var buffer = new ByteBuffer();
            buffer.Append(payload);
            connection.Write(buffer, false);
            connection.Close(ConnectionCloseType.FlushWrite);
        });
        var received = new MemoryStream();
        using var stream = new NetworkStream(client);
        stream.CopyTo(received);
        Assert.Equal(payload, received.ToArray());
        Assert.Equal(["high", "low", "LocalClose"], [Next(recorder), Next(recorder), Next(recorder)]);
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void Reading_disabled_pushes_back_and_resumes_without_loss()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0");
        Loop.Invoke(() => connection.ReadDisable(true));
        client.Send("kept"u8);
        Loop.Invoke(() => { });
        Assert.Empty(recorder.Reads);
        Loop.Invoke(() => connection.ReadDisable(false));
        Assert.Equal("kept", Text(recorder));
        client.Close();
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void The_peers_end_is_seen_while_reading_is_disabled()
    {
        var (server, connection, recorder, client) = Accepted("127.0.0.1:0");
        Loop.Invoke(() => connection.ReadDisable(true));
        client.Close();
        Assert.Equal("RemoteClose", Next(recorder));
        Loop.Invoke(server.Close);
    }

    [Fact]
    public void Connecting_to_nobody_fails_with_the_reason()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var recorder = new ConnectionRecorder();
        Connection connection = null!;
        Loop.Invoke(() =>
        {
            connection = ConnectionFactory.CreateClient(Loop, probe.LocalEndPoint!, new RawBufferSocket());
            recorder.Attach(connection);
            connection.Connect();
        });
        Assert.Equal("RemoteClose", Next(recorder));
        Assert.Equal("delayed connect error: Connection refused", connection.TransportFailureReason);
    }

    [Fact]
    public void A_client_connection_binds_its_source_address_and_writes_what_was_queued_before_it_connected()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var recorder = new ConnectionRecorder();
        Loop.Invoke(() =>
        {
            var options = new ClientSocketOptions { SourceAddress = new IPEndPoint(IPAddress.Parse("127.0.0.6"), 0) };
            var connection = ConnectionFactory.CreateClient(Loop, listener.LocalEndPoint!, new RawBufferSocket(), options);
            recorder.Attach(connection);
            connection.Write(Buffer("early"), false);
            connection.Connect();
        });
        using var peer = listener.Accept();
        Assert.Equal("127.0.0.6", ((IPEndPoint)peer.RemoteEndPoint!).Address.ToString());
        Assert.Equal("early", Receive(peer, 5));
        Assert.Equal("Connected", Next(recorder));
    }

    [Fact]
    public void The_memory_twin_behaves_as_a_socket()
    {
        var client = new ConnectionRecorder();
        var server = new ConnectionRecorder();
        Connection clientEnd = null!;
        Connection serverEnd = null!;
        Loop.Invoke(() =>
        {
            var address = new InternalEndPoint("inner", "");
            (clientEnd, serverEnd) = ConnectionFactory.CreateMemoryPair(
                Loop, new RawBufferSocket(), new RawBufferSocket(), address, address);
            client.Attach(clientEnd);
            server.Attach(serverEnd);
            serverEnd.Start();
            clientEnd.Connect();
            clientEnd.Write(Buffer("ping"), false);
        });
        Assert.Equal("ping", Text(server));
        Loop.Invoke(() => serverEnd.Write(Buffer("pong"), false));
        Assert.Equal("pong", Text(client));
        Assert.Equal("Connected", Next(client));
        Assert.Equal("Connected", Next(server));
        Loop.Invoke(() => clientEnd.Close(ConnectionCloseType.AbortReset));
        Assert.Equal("LocalClose", Next(client));
        Assert.Equal("RemoteClose", Next(server));
        Assert.Equal(DetectedCloseType.RemoteReset, serverEnd.DetectedCloseType);
    }

    public void Dispose() => _fixture.Dispose();

    private (ListenSocket Server, Connection Connection, ConnectionRecorder Recorder, Socket Client) Accepted(
        string address, bool halfClose = false)
    {
        var path = Path.Combine(Path.GetTempPath(), $"meshproxy-test-{Guid.NewGuid():N}.sock");
        EndPoint endPoint = address == "unix" ? new UnixDomainSocketEndPoint(path) : IPEndPoint.Parse(address);
        var server = ListenSocket.Open(endPoint, new ListenOptions());
        var accepted = new BlockingCollection<Connection>();
        var recorder = new ConnectionRecorder();
        Loop.Invoke(() => server.Attach(Loop, socket =>
        {
            var info = new ConnectionInfo
            {
                LocalAddress = socket.LocalAddress,
                DirectLocalAddress = socket.LocalAddress,
                RemoteAddress = socket.RemoteAddress,
                DirectRemoteAddress = socket.RemoteAddress,
                ConnectionId = StreamConnection.NextId(),
            };
            var connection = ConnectionFactory.CreateServer(
                Loop, socket.FileDescriptor, new RawBufferSocket(), info, ConnectionFactory.NewStreamInfo(Loop, info));
            connection.HalfCloseEnabled = halfClose;
            recorder.Attach(connection);
            connection.Start();
            accepted.Add(connection);
        }));
        var client = new Socket(server.LocalAddress.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(server.LocalAddress);
        var connection = LoopFixture.Await(accepted);
        Assert.Equal("Connected", Next(recorder));
        return (server, connection, recorder, client);
    }

    private static string Next(ConnectionRecorder recorder) => LoopFixture.Await(recorder.Events);

    private static string Text(ConnectionRecorder recorder) =>
        Encoding.ASCII.GetString(LoopFixture.Await(recorder.Reads).Data);

    private static string Receive(Socket socket, int count)
    {
        var bytes = new byte[count];
        var total = 0;
        while (total < count)
        {
            var received = socket.Receive(bytes, total, count - total, SocketFlags.None);
            Assert.NotEqual(0, received);
            total += received;
        }
        return Encoding.ASCII.GetString(bytes);
    }

    private static ByteBuffer Buffer(string text)
    {
        var buffer = new ByteBuffer();
        buffer.Append(Encoding.ASCII.GetBytes(text));
        return buffer;
    }
}
