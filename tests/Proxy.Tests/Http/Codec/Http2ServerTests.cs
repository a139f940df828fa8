using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Codec.Hpack;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using Xunit;
using static MeshProxy.Proxy.Tests.Http.Codec.Http2Wire;

namespace MeshProxy.Proxy.Tests.Http.Codec;

public class Http2ServerTests
{
    private const string Invalid = "http2.invalid.header.field";
    private const string Violation = "http2.violation.of.messaging.rule";

    private static readonly string[] Get = [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"];
    private static readonly string[] Post = [":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/"];

    public static TheoryData<string, string[]> MalformedHeads => new()
    {
        { Invalid, [.. Get, "X-A", "1"] },
        { Invalid, [.. Get, "", "1"] },
        { Invalid, [.. Get, "x a", "1"] },
        { Invalid, [.. Get, "x-a", "a\0b"] },
        { Invalid, [.. Get, "x-a", "a\r\nb"] },
        { Invalid, [.. Get, "connection", "close"] },
        { Invalid, [.. Get, "transfer-encoding", "chunked"] },
        { Invalid, [.. Get, "te", "gzip"] },
        { Invalid, [.. Get, "content-length", "5a"] },
        { Invalid, [.. Get, "content-length", "0", "content-length", "0"] },
        { Invalid, [.. Get, ":path", "/"] },
        { Invalid, ["x", "1", .. Get] },
        { Invalid, [.. Get, ":foo", "x"] },
        { Invalid, [.. Get, ":status", "200"] },
        { Invalid, [.. Get, ":protocol", "websocket"] },
        { Invalid, [.. Get, "host", "a", "host", "b"] },
        { Invalid, [":method", "GET", ":scheme", "1x", ":authority", "a", ":path", "/"] },
        { Invalid, [":method", "G ET", ":scheme", "http", ":authority", "a", ":path", "/"] },
        { Invalid, [":method", "GET", ":scheme", "http", ":authority", "user@a", ":path", "/"] },
        { Invalid, [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a b"] },
        { Invalid, [":method", "GET", ":scheme", "http", ":authority", "", ":path", "/"] },
        { Violation, [":scheme", "http", ":authority", "a", ":path", "/"] },
        { Violation, [":method", "GET", ":authority", "a", ":path", "/"] },
        { Violation, [":method", "GET", ":scheme", "http", ":path", "/"] },
        { Violation, [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "x"] },
        { Violation, [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "*"] },
        { Violation, [.. Get, "content-length", "5"] },
        { Violation, [":method", "CONNECT", ":scheme", "http", ":authority", "a", ":path", "/"] },
        { Violation, [":method", "CONNECT"] },
    };

    /// <summary>Frames behind the preface and the code of the GOAWAY they lead to; null for an end without GOAWAY.</summary>
    public static TheoryData<string, string?> FrameFaults => new()
    {
        { "data 0 x", "ProtocolError" },
        { "data 5 x", "ProtocolError" },
        { "big", "FrameSizeError" },
        { "settings5", "FrameSizeError" },
        { "ping7", "FrameSizeError" },
        { "headers 0", null },
        { "headers 2", null },
        { "rst 5", null },
        { "window 0", null },
        { "window max", null },
        { "push", null },
        { "ack twice", null },
        { "setting", null },
        { "continuation", "ProtocolError" },
        { "interleaved", "ProtocolError" },
        { "compression", "CompressionError" },
        { "padding", "ProtocolError" },
        { "data after end", "StreamClosed" },
        { "headers after end", null },
        { "trailers without end", null },
    };

    [Theory]
    [MemberData(nameof(MalformedHeads))]
    public void Malformed_heads_end_the_connection_or_only_the_stream(string details, string[] head)
    {
        var run = new Run();
        run.Send(Preface(), Headers(1, true, head));
        Assert.Equal(details, run.Error?.Details);
        Assert.Equal(details, run.Recorder.Exchanges[0].Encoder.Stream.ResponseDetails);
        Assert.DoesNotContain("goaway", run.Received(), StringComparison.Ordinal);

        var lenient = new Run(new Http2Settings { StreamErrorOnInvalidHttpMessage = true });
        lenient.Send(Preface(), Headers(1, true, head), Headers(3, true, Get));
        Assert.Null(lenient.Error);
        Assert.Equal("head :method=GET :scheme=http :authority=a :path=/|end |", lenient.Recorder.Text);
        Assert.Equal("rst 1 ProtocolError|", lenient.Received());
    }

    [Theory]
    [MemberData(nameof(FrameFaults))]
    public void Frames_out_of_place_end_the_connection(string what, string? goAway)
    {
        var run = new Run();
        run.Send([Preface(), .. FaultyFrames(what)]);
        Assert.Equal(CodecErrorKind.Protocol, run.Error?.Kind);
        var received = run.Received();
        if (goAway is null)
        {
            Assert.DoesNotContain("goaway", received, StringComparison.Ordinal);
        }
        else
        {
            Assert.EndsWith($"goaway {goAway}|", received);
        }
    }

    [Fact]
    public void Requests_are_heard_alike_however_they_are_cut()
    {
        byte[] bytes =
        [
            .. Preface(),
            .. Frame(Http2FrameType.Headers, 1, 1, Block(Get)),
            .. Frame(Http2FrameType.Continuation, 0, 1, Block("cookie", "a=1", "cookie", "")),
            .. Frame(Http2FrameType.Continuation, 4, 1, Block("cookie", "b=2", "x", " v ")),
            .. Headers(3, false, Post),
            .. Frame(Http2FrameType.Data, 8, 3, [2, (byte)'h', (byte)'e', 0, 0]),
            .. Data(3, false, "llo"),
            .. Headers(3, true, "x-t", "1"),
            .. Frame((Http2FrameType)119, 255, 0, "unknown"u8),
            .. Frame(Http2FrameType.Ping, 0, 0, "12345678"u8),
        ];
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var run = new Run();
            run.SendInPieces(bytes, piece);
            Assert.Null(run.Error);
            Assert.Equal(
                "head :method=GET :scheme=http :authority=a :path=/ cookie=a=1; b=2 x=v|end |"
                + "head :method=POST :scheme=http :authority=a :path=/|body hello|trailers x-t=1|", run.Recorder.Text);
            Assert.Equal("ping ack|", run.Received());
        }
    }

    [Fact]
    public void A_body_that_breaks_its_announced_length_ends_only_the_stream()
    {
        foreach (var length in new[] { "3", "9" })
        {
            var run = new Run();
            run.Send(Preface(), Headers(1, false, [.. Post, "content-length", length]), Data(1, true, "hello"));
            Assert.Null(run.Error);
            Assert.Equal("rst 1 ProtocolError|", run.Received());
            Assert.Equal("http2.remote_reset", run.Recorder.Exchanges[0].Encoder.Stream.ResponseDetails);
        }
    }

    [Fact]
    public void Answers_wait_for_the_windows()
    {
        var run = new Run();
        run.Send([.. Http2Protocol.Preface, .. Settings((4, 3))], Headers(1, true, Get));
        var encoder = run.Recorder.Exchanges[0].Encoder;
        encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200", "x", "y"), false);
        encoder.EncodeData(CodecRecorder.Buffer("abcdef"), false);
        encoder.EncodeTrailers(CodecRecorder.Headers("t", "1"));
        Assert.Equal("headers 1 :status=200 x=y|data 1 abc|", run.Received());
        Assert.True(run.Codec.WantsToWrite);
        run.Send(Number(Http2FrameType.WindowUpdate, 1, 2));
        Assert.Equal("data 1 de|", run.Received());
        run.Send(Settings((4, 10)));
        Assert.Equal("data 1 f|headers 1 t=1 end|", run.Received());
        Assert.False(run.Codec.WantsToWrite);
    }

    [Fact]
    public void The_connection_window_is_shared_out_in_turns()
    {
        var run = new Run();
        run.Send([.. Http2Protocol.Preface, .. Settings((4, 1 << 20))], Headers(1, true, Get), Headers(3, true, Get));
        foreach (var exchange in run.Recorder.Exchanges)
        {
            exchange.Encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200"), false);
            exchange.Encoder.EncodeData(CodecRecorder.Buffer(new byte[100000]), true);
        }
        var first = run.ReceivedBytes();
        Assert.Equal(65535, first[1]);
        run.Send(Number(Http2FrameType.WindowUpdate, 0, 40000));
        var second = run.ReceivedBytes();
        Assert.True(second[1] > 10000 && second[3] > 10000);
    }

    [Fact]
    public void An_answer_before_the_requests_end_is_followed_by_a_reset_without_error()
    {
        var run = new Run();
        run.Send(Preface(), Headers(1, false, Post));
        run.Recorder.Exchanges[0].Encoder.EncodeHeaders(CodecRecorder.Headers(":status", "413"), true);
        Assert.Equal("headers 1 :status=413 end|rst 1 NoError|", run.Received());
        run.Send(Data(1, true, "late"));
        Assert.Null(run.Error);
    }

    [Fact]
    public void Resets_are_told_with_their_reason()
    {
        var run = new Run();
        run.Send(Preface(), Headers(1, true, Get), Headers(3, true, Get));
        foreach (var exchange in run.Recorder.Exchanges)
        {
            exchange.Encoder.Stream.AddCallbacks(exchange);
        }
        run.Send(Number(Http2FrameType.RstStream, 1, 7));
        run.Recorder.Exchanges[1].Encoder.Stream.ResetStream(StreamResetReason.LocalReset);
        Assert.EndsWith("reset RemoteRefusedStreamReset|reset LocalReset|", run.Recorder.Text);
        Assert.Equal("rst 3 InternalError|", run.Received());
    }

    [Theory]
    [InlineData("priority", 101, "Too_many_PRIORITY_frames")]
    [InlineData("window", 6, "Too_many_WINDOW_UPDATE_frames")]
    [InlineData("ping", 1001, "Too_many_control_frames_in_the_outbound_queue.")]
    public void Floods_end_the_connection(string type, int count, string details)
    {
        var run = new Run();
        var frame = type switch
        {
            "priority" => Frame(Http2FrameType.Priority, 0, 1, new byte[5]),
            "ping" => Frame(Http2FrameType.Ping, 0, 0, new byte[8]),
            _ => Number(Http2FrameType.WindowUpdate, 0, 1),
        };
        run.Send(Preface());
        for (var i = 0; i < count - 1; i++)
        {
            run.Send(frame);
        }
        // The acknowledgement of SETTINGS waits too.
        Assert.Equal(type == "ping", run.Error is not null);
        run.Send(frame);
        Assert.Equal("codec_error:" + details, run.Error?.Details);
    }

    [Fact]
    public void Empty_frames_are_counted()
    {
        var run = new Run();
        run.Send(Preface(), Headers(1, false, Post), Data(1, false, ""), Data(1, false, ""));
        Assert.Equal(CodecErrorKind.InboundFramesWithEmptyPayload, run.Error?.Kind);
        Assert.Equal("http2.inbound_empty_frames_flood", run.Recorder.Exchanges[0].Encoder.Stream.ResponseDetails);
    }

    [Fact]
    public void Streams_beyond_the_limit_are_refused_until_the_limit_is_known()
    {
        var run = new Run(new Http2Settings { MaxConcurrentStreams = 1 });
        run.Send(Preface(), Headers(1, true, Get), Headers(3, true, Get));
        Assert.Null(run.Error);
        Assert.Equal("rst 3 RefusedStream|", run.Received());
        run.Send(Frame(Http2FrameType.Settings, 1, 0, []), Headers(5, true, Get));
        Assert.NotNull(run.Error);
    }

    [Fact]
    public void Heads_beyond_the_limits_cost_their_stream_only()
    {
        var run = new Run();
        var many = Enumerable.Range(0, 100).SelectMany(i => new[] { $"x-{i}", "1" });
        run.Send(Preface(), Headers(1, true, [.. Get, .. many]), Headers(3, true, Get));
        Assert.Null(run.Error);
        Assert.Equal("rst 1 InternalError|", run.Received());
        Assert.Equal("http2.too_many_headers", run.Recorder.Exchanges[0].Encoder.Stream.ResponseDetails);
        Assert.Equal("head :method=GET :scheme=http :authority=a :path=/|end |", run.Recorder.Text);
    }

    [Fact]
    public void Websockets_look_like_upgrades_inside()
    {
        var run = new Run(new Http2Settings { AllowConnect = true });
        run.Send(
            Preface(), Headers(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a", ":path", "/"));
        Assert.Equal("head :method=GET :scheme=http :authority=a :path=/ upgrade=websocket connection=upgrade|", run.Recorder.Text);
        run.Recorder.Exchanges[0].Encoder.EncodeHeaders(
            CodecRecorder.Headers(":status", "101", "connection", "upgrade", "upgrade", "websocket"), false);
        Assert.Equal("headers 1 :status=200|", run.Received());
    }

    [Fact]
    public void Random_frames_never_throw()
    {
        var random = new Random(11);
        byte[] seed =
        [
            .. Preface(), .. Headers(1, false, Post), .. Data(1, false, "hello"), .. Headers(1, true, "t", "1"), .. Headers(3, true, Get),
            .. Settings((4, 100), (1, 0)), .. Number(Http2FrameType.WindowUpdate, 3, 5), .. Number(Http2FrameType.RstStream, 3, 8),
        ];
        for (var round = 0; round < 20000; round++)
        {
            var bytes = seed.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(24, bytes.Length)] = (byte)random.Next(256);
            }
            var run = new Run();
            run.Recorder.Answer = encoder => encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200"), true);
            run.SendInPieces(bytes, random.Next(1, bytes.Length));
        }
    }

    private static byte[][] FaultyFrames(string what) => what switch
    {
        "data 0 x" => [Data(0, false, "x")],
        "data 5 x" => [Data(5, false, "x")],
        "big" => [Headers(1, false, Post), Frame(Http2FrameType.Data, 0, 1, new byte[16385])],
        "settings5" => [Frame(Http2FrameType.Settings, 0, 0, new byte[5])],
        "ping7" => [Frame(Http2FrameType.Ping, 0, 0, new byte[7])],
        "headers 0" => [Headers(0, true, Get)],
        "headers 2" => [Headers(2, true, Get)],
        "rst 5" => [Number(Http2FrameType.RstStream, 5, 8)],
        "window 0" => [Number(Http2FrameType.WindowUpdate, 0, 0)],
        "window max" => [Number(Http2FrameType.WindowUpdate, 0, int.MaxValue)],
        "push" => [Headers(1, false, Post), Frame(Http2FrameType.PushPromise, 4, 1, new byte[4])],
        "ack twice" => [Frame(Http2FrameType.Settings, 1, 0, []), Frame(Http2FrameType.Settings, 1, 0, [])],
        "setting" => [Settings((2, 2))],
        "continuation" => [Frame(Http2FrameType.Continuation, 4, 1, Block("x", "1"))],
        "interleaved" => [Frame(Http2FrameType.Headers, 0, 1, Block(Get)), Frame(Http2FrameType.Ping, 0, 0, new byte[8])],
        "compression" => [Frame(Http2FrameType.Headers, 5, 1, [0x80])],
        "padding" => [Frame(Http2FrameType.Headers, 13, 1, " abc"u8)],
        "data after end" => [Headers(1, true, Get), Data(1, false, "x")],
        "headers after end" => [Headers(1, true, Get), Headers(1, true, Get)],
        "trailers without end" => [Headers(1, false, Post), Headers(1, false, "x-t", "1")],
        _ => throw new ArgumentException(what),
    };

    private sealed class Run
    {
        private readonly FakeConnection _connection = new();
        private readonly HpackDecoder _decoder = new(4096);
        private readonly ByteBuffer _data = new();

        public Run(Http2Settings? settings = null) => Codec = new Http2ServerConnection(
            _connection, Recorder, settings ?? new Http2Settings(), new CodecLimits(), new Http2Stats(new StatsStore(1).Root));

        public CodecRecorder Recorder { get; } = new();

        public Http2ServerConnection Codec { get; }

        public CodecError? Error { get; private set; }

        public void Send(params byte[][] frames)
        {
            foreach (var frame in frames)
            {
                _data.Append(frame);
            }
            Error ??= Codec.Dispatch(_data);
        }

        public void SendInPieces(byte[] bytes, int piece)
        {
            for (var i = 0; i < bytes.Length && Error is null; i += piece)
            {
                Send(bytes[i..Math.Min(bytes.Length, i + piece)]);
            }
        }

        public string Received() => Show(_connection.TakeWritten(), _decoder);

        /// <summary>Data bytes per stream.</summary>
        public Dictionary<uint, int> ReceivedBytes()
        {
            var bytes = _connection.TakeWritten();
            var sums = new Dictionary<uint, int>();
            for (var i = 0; i < bytes.Length;)
            {
                var length = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
                var stream = (uint)bytes[i + 8];
                if (bytes[i + 3] == 0)
                {
                    sums[stream] = sums.GetValueOrDefault(stream) + length;
                }
                i += 9 + length;
            }
            return sums;
        }
    }
}
