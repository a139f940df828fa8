using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.Codec;

public class Http1ClientTests
{
    /// <summary>Method, answer bytes (`~` is CRLF, a final `$` the peer's close) and what the decoder hears.</summary>
    public static TheoryData<string, string, string> Answers => new()
    {
        { "GET", "HTTP/1.1 200 OK~content-length: 2~~ok", "head content-length=2 :status=200|end ok|" },
        { "GET", "HTTP/1.1  200~content-length: 0\n\n", "head content-length=0 :status=200|end |" },
        { "GET", "HTTP/2.0 999 X~content-length: 0~~", "head content-length=0 :status=999|end |" },
        { "GET", "HTTP/1.1 200 OK~~hello$", "head :status=200|end hello|" },
        { "GET", "HTTP/1.1 200 OK~transfer-encoding: chunked~~2~ok~0~t: 1~~", "head transfer-encoding=chunked :status=200|body ok|trailers t=1|" },
        { "GET", "HTTP/1.1 103 Early~link: x~~HTTP/1.1 204 No~content-length: 0~~", "1xx link=x :status=103|head :status=204|end |" },
        { "HEAD", "HTTP/1.1 200 OK~content-length: 5~~", "head content-length=5 :status=200|end |" },
        { "GET", "HTTP/1.1 304 Not~content-length: 5~~", "head content-length=5 :status=304|end |" },
        { "UPGRADE", "HTTP/1.1 101 S~connection: upgrade~upgrade: foo~~raw$", "head connection=upgrade upgrade=foo :status=101|" },
        { "CONNECT", "HTTP/1.1 200 OK~~raw", "head :status=200|" },
        { "CONNECT", "HTTP/1.1 403 No~content-length: 2~~no", "head content-length=2 :status=403|end no|" },
        { "GET", "$", "" },
        { "GET", "HTTP/1.1 103 Early~~$", "1xx :status=103|" },
    };

    public static TheoryData<string> Refusals => new()
    {
        "http/1.1 200 OK~~",
        "~HTTP/1.1 200 OK~content-length: 0~~",
        "HTTP/1.1 abc X~~",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK~content-length: 10~~hello",
        "HTTP/1.1 200 OK~transfer-encoding: chunked~~5~hello~",
        "HTTP/1.1 200 OK~transfer-encoding: gzip, chunked~~0~~",
        "HTTP/1.1 200 OK~content-length: 5~transfer-encoding: chunked~~0~~",
        "HTTP/1.1 200 OK~content-length: 5~content-length: 5~~hello",
        "HTTP/1.1 204 No~content-length: 5~~hello",
        "HTTP/1.1 204 No~transfer-encoding: chunked~~0~~",
        "HTTP/1.1 200 OK~x : 1~~",
        "HTTP/1.1 200 OK~content-length: 2~~okEXTRA",
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answers_are_heard_alike_however_they_are_cut(string method, string answer, string expected)
    {
        for (var piece = 1; piece <= answer.Length + 8; piece++)
        {
            var run = Run(method, answer, piece);
            Assert.Null(run.Error);
            Assert.Equal(expected, run.Text);
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Bad_answers_are_protocol_errors(string answer)
    {
        for (var piece = 1; piece <= answer.Length + 8; piece++)
        {
            Assert.Equal(CodecErrorKind.Protocol, Run("GET", answer + "$", piece).Error?.Kind);
        }
    }

    [Fact]
    public void An_answer_nobody_asked_for_is_named_with_its_status()
    {
        var codec = Start(out _, out _);
        var error = codec.Dispatch(CodecRecorder.Buffer("HTTP/1.1 408 Timeout\r\ncontent-length: 0\r\n\r\n"));
        Assert.Equal((CodecErrorKind.PrematureResponse, 408), (error!.Kind, error.PrematureStatus));
    }

    [Theory]
    [InlineData(true, "GET", "GET /p HTTP/1.1\r\nhost: a\r\n\r\n")]
    [InlineData(true, "POST", "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")]
    [InlineData(false, "GET", "GET /p HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    public void Requests_are_framed(bool headOnly, string method, string expected)
    {
        var codec = Start(out var recorder, out var connection);
        var encoder = codec.NewStream(new ClientExchange(recorder));
        Assert.Null(encoder.EncodeHeaders(CodecRecorder.Headers(":method", method, ":path", "/p", ":authority", "a"), headOnly));
        if (!headOnly)
        {
            encoder.EncodeData(CodecRecorder.Buffer("ok"), true);
        }
        Assert.Equal(expected, connection.Written);
    }

    [Fact]
    public void A_request_without_path_is_not_written()
    {
        var codec = Start(out var recorder, out var connection);
        var encoder = codec.NewStream(new ClientExchange(recorder));
        Assert.NotNull(encoder.EncodeHeaders(CodecRecorder.Headers(":method", "GET"), true));
        Assert.Equal("", connection.Written);
    }

    private static Http1ClientConnection Start(out CodecRecorder recorder, out FakeConnection connection)
    {
        recorder = new CodecRecorder();
        connection = new FakeConnection();
        var settings = new Http1Settings { EnableTrailers = true };
        return new Http1ClientConnection(connection, settings, new CodecLimits(80), new Http1Stats(new StatsStore(1).Root));
    }

    private static (string Text, CodecError? Error) Run(string method, string answer, int piece)
    {
        var codec = Start(out var recorder, out _);
        var encoder = codec.NewStream(new ClientExchange(recorder));
        HeaderMap headers = method == "UPGRADE"
            ? CodecRecorder.Headers(":method", "GET", ":path", "/", "connection", "upgrade", "upgrade", "foo")
            : CodecRecorder.Headers(":method", method, ":path", "/", ":authority", "a:1");
        encoder.EncodeHeaders(headers, true);
        var closes = answer.EndsWith('$');
        var bytes = Encoding.Latin1.GetBytes(answer.TrimEnd('$').Replace("~", "\r\n", StringComparison.Ordinal));
        var data = new ByteBuffer();
        CodecError? error = null;
        for (var i = 0; i < bytes.Length && error is null; i += piece)
        {
            data.Append(bytes.AsSpan(i, Math.Min(piece, bytes.Length - i)));
            error = codec.Dispatch(data);
        }
        if (closes && error is null)
        {
            error = codec.Dispatch(new ByteBuffer());
        }
        return (recorder.Text, error);
    }
}
