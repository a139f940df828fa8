using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.Codec;

public class Http1ServerTests
{
    private static readonly Http1Settings Default = new();

    /// <summary>Request bytes and what the decoder hears; `~` stands for CRLF.</summary>
    public static TheoryData<string, string> Requests => new()
    {
        { "GET / HTTP/1.1~host: a~~", "head :authority=a :path=/ :method=GET|end |" },
        { "~~\nGET / HTTP/1.1~host: a~~", "head :authority=a :path=/ :method=GET|end |" },
        { "GET  /a?b  HTTP/1.1 ~Host: a~X-Up: V \n\n", "head :authority=a x-up=V :path=/a?b :method=GET|end |" },
        { "GET / HTTP/1.1~host: a~x: 1~ 2~\t3~~", "head :authority=a x=1 2\t3 :path=/ :method=GET|end |" },
        { "GET / HTTP/1.1~host: a~x: 1\r2\r~~", "head :authority=a x=12 :path=/ :method=GET|end |" },
        { "GET / HTTP/1.1~host: a~host:~host: b~~", "head :authority=a,b :path=/ :method=GET|end |" },
        { "GET / HTTP/1.1~host: a~cookie: a=1~cookie: b=2~~", "head :authority=a cookie=a=1 cookie=b=2 :path=/ :method=GET|end |" },
        { "GET http://U@B.test:80/x HTTP/1.1~host: a~~", "head :authority=B.test:80 :scheme=http :path=/x :method=GET|end |" },
        { "POST / HTTP/1.1~host: a~content-length: 5~~hello", "head :authority=a content-length=5 :path=/ :method=POST|end hello|" },
        {
            "POST / HTTP/1.1~host: a~transfer-encoding: CHUNKED~~5;x=y~hello~03 ~abcjunk\n0~~",
            "head :authority=a transfer-encoding=CHUNKED :path=/ :method=POST|end helloabc|"
        },
        {
            "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~5~hello~0~X-T: 1~~",
            "head :authority=a transfer-encoding=chunked :path=/ :method=POST|body hello|trailers x-t=1|"
        },
        { "GET / HTTP/1.1~host: a~connection: x, close~x: 1~y: 2~~", "head :authority=a connection=close y=2 :path=/ :method=GET|end |" },
        { "GET / HTTP/1.1~host: a~connection: Upgrade, HTTP2-Settings~upgrade: h2c~http2-settings: A~~", "head :authority=a :path=/ :method=GET|end |" },
        { "CONNECT a:80 HTTP/1.1~host: b~content-length: 0~~", "head :authority=a:80 :method=CONNECT|" },
        { "GET / HTTP/1.1~~", "head :path=/ :method=GET|end |" },
    };

    /// <summary>Bad request bytes, the answer's status and the details of the refusal.</summary>
    public static TheoryData<string, int, string> Refusals => new()
    {
        { " GET / HTTP/1.1~host: a~~", 400, "http1.codec_error" },
        { "get / HTTP/1.1~host: a~~", 400, "http1.codec_error" },
        { "NONSENSE~", 400, "http1.codec_error" },
        { "GET /a b HTTP/1.1~host: a~~", 400, "http1.codec_error" },
        { "GET HTTP/1.1~host: a~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.10~host: a~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.0~host: a~~", 426, "low_version" },
        { "GET /~~", 426, "low_version" },
        { "GET /\0 HTTP/1.1~host: a~~", 400, "http1.invalid_characters" },
        { "GET /\u00ff HTTP/1.1~host: a~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~ host: a~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~host : a~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~host: a~nocolon~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~host: a~: v~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~host: a~x: \u007f~~", 400, "http1.invalid_characters" },
        { "GET / HTTP/1.1~host: a b~~", 400, "http.invalid_authority" },
        { "GET * HTTP/1.1~host: a~~", 400, "http1.invalid_url" },
        { "GET ftp://a/ HTTP/1.1~host: a~~", 400, "http1.invalid_scheme" },
        { "GET http://a:99999/ HTTP/1.1~host: a~~", 400, "http1.invalid_url" },
        { "CONNECT a HTTP/1.1~host: a~~", 400, "http1.invalid_url" },
        { "CONNECT a:80 HTTP/1.1~host: a~content-length: 5~~", 400, "http1.body_disallowed" },
        { "CONNECT a:80 HTTP/1.1~host: a~transfer-encoding: chunked~~", 501, "http1.invalid_transfer_encoding" },
        { "POST / HTTP/1.1~host: a~content-length: 5~content-length: 5~~hello", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~content-length: +5~~hello", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~content-length: 18446744073709551616~~hello", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~content-length: 5~transfer-encoding: chunked~~0~~", 400, "http1.content_length_and_chunked_not_allowed" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked, chunked~~0~~", 501, "http1.invalid_transfer_encoding" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: gzip~transfer-encoding: chunked~~0~~", 501, "http1.invalid_transfer_encoding" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~5\nhello~0~~", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~5\rx~", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~0x5~hello~0~~", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~10000000000000005~hello", 400, "http1.codec_error" },
        { "POST / HTTP/1.1~host: a~transfer-encoding: chunked~~5~hello~0~bad~~", 400, "http1.codec_error" },
        { "GET / HTTP/1.1~host: a~connection: x-forwarded-for~~", 400, "http1.connection_header_rejected" },
        { "GET / HTTP/1.1~host: a~connection: a,b,c,d,e,f,g,h,i,j~~", 400, "http1.connection_header_rejected" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public void Requests_are_heard_alike_however_they_are_cut(string request, string expected)
    {
        var bytes = Bytes(request);
        Assert.Equal(expected, Run(bytes, bytes.Length).Text);
        for (var piece = 1; piece < bytes.Length; piece++)
        {
            Assert.Equal(expected, Run(bytes, piece).Text);
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Bad_requests_are_refused_alike_however_they_are_cut(string request, int status, string details)
    {
        var bytes = Bytes(request);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var run = Run(bytes, piece);
            Assert.Equal(details, run.Error?.Details);
            Assert.EndsWith($"reply {status} {details}|", run.Text);
        }
    }

    [Fact]
    public void A_long_head_is_refused_before_it_is_whole()
    {
        var run = Run(Bytes("GET /" + new string('a', 70 * 1024)), 16 * 1024);
        Assert.Equal("reply 431 http1.headers_too_large|", run.Text);
    }

    [Fact]
    public void More_headers_than_allowed_are_refused()
    {
        var lines = string.Concat(Enumerable.Range(0, 100).Select(i => $"x-{i}: 1~"));
        Assert.Equal("reply 431 http1.too_many_headers|", Run(Bytes($"GET / HTTP/1.1~host: a~{lines}~"), 4096).Text);
    }

    [Fact]
    public void Pipelined_requests_wait_for_the_answer()
    {
        var (recorder, connection, codec) = Start(Default);
        var data = CodecRecorder.Buffer("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.Null(codec.Dispatch(data));
        Assert.Equal("head :authority=a :path=/1 :method=GET|end |", recorder.Text);
        Assert.False(connection.ReadEnabled);
        recorder.Exchanges[0].Encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200"), true);
        Assert.True(connection.ReadEnabled);
        Assert.Null(codec.Dispatch(data));
        Assert.Equal(2, recorder.Exchanges.Count);
        Assert.True(data.IsEmpty);
    }

    [Fact]
    public void Answers_nobody_reads_are_bounded()
    {
        var (recorder, connection, codec) = Start(Default);
        recorder.Answer = encoder => encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200"), true);
        CodecError? error = null;
        for (var i = 0; i < 100; i++)
        {
            error ??= codec.Dispatch(CodecRecorder.Buffer("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        }
        Assert.Null(error);
        var unread = codec.Dispatch(CodecRecorder.Buffer("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        Assert.Equal((CodecErrorKind.BufferFlood, "http1.response_flood"), (unread!.Kind, unread.Details));
        Assert.NotEmpty(connection.Written);
    }

    [Theory]
    [InlineData("GET", "200", "", true, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("GET", "204", "", true, "HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("HEAD", "200", "", true, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")]
    [InlineData("GET", "299", "content-length: 2", false, "HTTP/1.1 299 Unknown\r\ncontent-length: 2\r\n\r\nok")]
    [InlineData("GET", "200", "", false, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    public void Answers_are_framed(string method, string status, string header, bool headOnly, string expected)
    {
        var (recorder, connection, codec) = Start(Default);
        codec.Dispatch(CodecRecorder.Buffer($"{method} / HTTP/1.1\r\nhost: a\r\n\r\n"));
        var headers = CodecRecorder.Headers(":status", status);
        if (header.Length > 0)
        {
            headers.Add(header.Split(": ")[0], header.Split(": ")[1]);
        }
        var encoder = recorder.Exchanges[0].Encoder;
        encoder.EncodeHeaders(headers, headOnly);
        if (!headOnly)
        {
            encoder.EncodeData(CodecRecorder.Buffer("ok"), true);
        }
        Assert.Equal(expected, connection.Written);
    }

    [Fact]
    public void Values_cannot_begin_a_new_line()
    {
        var (recorder, connection, codec) = Start(Default);
        codec.Dispatch(CodecRecorder.Buffer("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        recorder.Exchanges[0].Encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200", "x", "a\r\nb: c"), true);
        Assert.Equal("HTTP/1.1 200 OK\r\nx: a  b: c\r\ncontent-length: 0\r\n\r\n", connection.Written);
    }

    [Fact]
    public void Names_are_spelled_as_configured()
    {
        var preserve = Default with { HeaderCase = HeaderCase.Preserve };
        var (recorder, _, codec) = Start(preserve);
        codec.Dispatch(CodecRecorder.Buffer("GET / HTTP/1.1\r\nHOST: a\r\nX-MiXed: 1\r\nx-mixed: 2\r\n\r\n"));
        Assert.Equal("head :authority=a x-mixed=1 x-mixed=2 :path=/ :method=GET|end |", recorder.Text);

        var (proper, connection, codec2) = Start(Default with { HeaderCase = HeaderCase.ProperCase });
        codec2.Dispatch(CodecRecorder.Buffer("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        proper.Exchanges[0].Encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200", "x-a_b.c1d", "v"), true);
        Assert.Equal("HTTP/1.1 200 OK\r\nX-A_B.C1d: v\r\nContent-Length: 0\r\n\r\n", connection.Written);
    }

    [Fact]
    public void Random_bytes_never_do_more_than_be_refused()
    {
        var random = new Random(1);
        var seed = Bytes("POST /x HTTP/1.1~host: a~transfer-encoding: chunked~x: 1~ 2~~5;a~hello~0~t: 1~~GET / HTTP/1.1~~");
        for (var round = 0; round < 20000; round++)
        {
            var bytes = seed[..random.Next(1, seed.Length + 1)];
            for (var changes = random.Next(4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            Run(bytes, random.Next(1, bytes.Length + 1));
        }
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text.Replace("~", "\r\n", StringComparison.Ordinal));

    private static (CodecRecorder Recorder, FakeConnection Connection, Http1ServerConnection Codec) Start(Http1Settings settings)
    {
        var recorder = new CodecRecorder();
        var connection = new FakeConnection();
        var stats = new Http1Stats(new StatsStore(1).Root);
        return (recorder, connection, new Http1ServerConnection(connection, recorder, settings, new CodecLimits(), stats));
    }

    private static (string Text, CodecError? Error) Run(byte[] bytes, int piece)
    {
        var (recorder, _, codec) = Start(Default with { EnableTrailers = true });
        recorder.Answer = encoder => encoder.EncodeHeaders(CodecRecorder.Headers(":status", "200"), true);
        var data = new ByteBuffer();
        CodecError? error = null;
        for (var i = 0; i < bytes.Length && error is null; i += piece)
        {
            data.Append(bytes.AsSpan(i, Math.Min(piece, bytes.Length - i)));
            error = codec.Dispatch(data);
        }
        return (recorder.Text, error);
    }
}
