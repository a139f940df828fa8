using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Codec.Hpack;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using Xunit;
using static MeshProxy.Proxy.Tests.Http.Codec.Http2Wire;

namespace MeshProxy.Proxy.Tests.Http.Codec;

public class Http2ClientTests
{
    private readonly FakeConnection _connection = new();
    private readonly CodecRecorder _recorder = new();
    private readonly HpackDecoder _decoder = new(4096);
    private readonly Http2ClientConnection _codec;

    public Http2ClientTests() => _codec = new Http2ClientConnection(
        _connection, _recorder, new Http2Settings(), new CodecLimits(), new Http2Stats(new StatsStore(1).Root));

    public static TheoryData<string[]> MalformedAnswers => new()
    {
        { ["x-a", "1"] },
        { [":status", "abc"] },
        { [":status", "99"] },
        { [":status", "101"] },
        { [":status", "200", "X-A", "1"] },
        { [":status", "200", "connection", "close"] },
        { [":status", "200", ":status", "200"] },
        { [":status", "200", ":path", "/"] },
        { [":status", "200", "content-length", "5"] },
        { [":status", "103"] },
    };

    [Fact]
    public void Requests_and_answers_pass()
    {
        Request("GET", true);
        Assert.Equal("headers 1 :method=GET :path=/ :authority=a end|", Written());
        Assert.Null(Dispatch(
            Settings((3, 7)), Headers(1, false, ":status", "103", "link", "x"), Headers(1, false, ":status", "200"), Data(1, false, "ok"),
            Headers(1, true, "t", "1")));
        Assert.Equal("max 7|1xx :status=103 link=x|head :status=200|body ok|trailers t=1|", _recorder.Text);
    }

    [Theory]
    [MemberData(nameof(MalformedAnswers))]
    public void Malformed_answers_end_the_connection(string[] head)
    {
        Request("GET", true);
        Assert.Equal(CodecErrorKind.Protocol, Dispatch(Settings(), Headers(1, true, head))?.Kind);
    }

    [Fact]
    public void A_204_with_a_body_costs_its_stream()
    {
        Request("GET", true);
        Written();
        Assert.Null(Dispatch(Settings(), Headers(1, false, ":status", "204"), Data(1, true, "he")));
        Assert.EndsWith("reset ProtocolError|", _recorder.Text);
        Assert.Equal("rst 1 ProtocolError|", Written());
    }

    [Fact]
    public void An_answer_to_HEAD_may_announce_a_length()
    {
        Request("HEAD", true);
        Assert.Null(Dispatch(Settings(), Headers(1, true, ":status", "200", "content-length", "5")));
        Assert.EndsWith("end |", _recorder.Text);
    }

    [Fact]
    public void Streams_a_GOAWAY_leaves_out_are_refused_after_the_owner_knows()
    {
        Request("GET", true);
        Request("GET", true);
        Assert.Null(Dispatch(Settings(), Frame(Http2FrameType.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])));
        Assert.Equal("goaway|reset RemoteRefusedStreamReset|", _recorder.Text);
        Assert.Null(Dispatch(Headers(1, true, ":status", "200")));
        Assert.EndsWith("head :status=200|end |", _recorder.Text);
    }

    [Fact]
    public void Upgrades_become_extended_connects()
    {
        var encoder = _codec.NewStream(new ClientExchange(_recorder));
        encoder.EncodeHeaders(
            CodecRecorder.Headers(":method", "GET", ":path", "/ws", ":authority", "a", "connection", "upgrade", "upgrade", "websocket"), false);
        Assert.Equal("headers 1 :method=CONNECT :path=/ws :authority=a :protocol=websocket|", Written());
        Dispatch(Settings(), Headers(1, false, ":status", "200"));
        Assert.Equal("head :status=101 upgrade=websocket connection=upgrade|", _recorder.Text);
    }

    [Fact]
    public void A_peer_that_speaks_HTTP_1_is_a_protocol_error()
    {
        Request("GET", true);
        Assert.NotNull(_codec.Dispatch(CodecRecorder.Buffer("HTTP/1.1 400 Bad Request\r\n\r\n")));
    }

    [Fact]
    public void Large_heads_are_cut_into_continuations_and_read_back()
    {
        var encoder = _codec.NewStream(new ClientExchange(_recorder));
        var value = new string('v', 40000);
        encoder.EncodeHeaders(CodecRecorder.Headers(":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a", "x", value), true);
        var server = new CodecRecorder();
        var codec = new Http2ServerConnection(
            new FakeConnection(), server, new Http2Settings(), new CodecLimits(), new Http2Stats(new StatsStore(1).Root));
        Assert.Null(codec.Dispatch(CodecRecorder.Buffer(_connection.TakeWritten())));
        Assert.Equal($"head :method=GET :scheme=http :path=/ :authority=a x={value}|end |", server.Text);
    }

    private void Request(string method, bool end)
    {
        var exchange = new ClientExchange(_recorder);
        var encoder = _codec.NewStream(exchange);
        encoder.Stream.AddCallbacks(exchange);
        Assert.Null(encoder.EncodeHeaders(CodecRecorder.Headers(":method", method, ":path", "/", ":authority", "a"), end));
    }

    private CodecError? Dispatch(params byte[][] frames)
    {
        var data = new ByteBuffer();
        foreach (var frame in frames)
        {
            data.Append(frame);
        }
        return _codec.Dispatch(data);
    }

    private string Written() => Show(_connection.TakeWritten(), _decoder);
}
