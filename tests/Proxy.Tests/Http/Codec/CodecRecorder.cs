using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Tests.Http.Codec;

/// <summary>Stands where a manager or a router would and writes down, as text, what a codec tells.</summary>
internal sealed class CodecRecorder : IServerConnectionCallbacks, IClientConnectionCallbacks
{
    private readonly StringBuilder _text = new();

    public List<ServerExchange> Exchanges { get; } = [];

    /// <summary>Answers each request at its end with this; null leaves it open.</summary>
    public Action<IResponseEncoder>? Answer { get; set; }

    public string Text => _text.ToString();

    public IRequestDecoder NewStream(IResponseEncoder encoder)
    {
        var exchange = new ServerExchange(this, encoder);
        Exchanges.Add(exchange);
        return exchange;
    }

    public void OnGoAway(bool isError) => _text.Append($"goaway{(isError ? " error" : "")}|");

    public void OnMaxStreamsChanged(uint maxStreams) => _text.Append($"max {maxStreams}|");

    public void Note(string text) => _text.Append(text).Append('|');

    public static string Show(HeaderMap headers)
    {
        var text = new StringBuilder();
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            text.Append(Encoding.Latin1.GetString(headers.Name(i))).Append('=')
                .Append(Encoding.Latin1.GetString(headers.Value(i))).Append(' ');
        }
        return text.ToString().TrimEnd();
    }

    public static HeaderMap Headers(params string[] pairs)
    {
        var map = new HeaderMap();
        for (var i = 0; i < pairs.Length; i += 2)
        {
            map.Add(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    public static ByteBuffer Buffer(ReadOnlySpan<byte> bytes)
    {
        var buffer = new ByteBuffer();
        buffer.Append(bytes);
        return buffer;
    }

    public static ByteBuffer Buffer(string text) => Buffer(Encoding.Latin1.GetBytes(text));
}

internal sealed class ServerExchange(CodecRecorder recorder, IResponseEncoder encoder) : IRequestDecoder, IStreamCallbacks
{
    private readonly StringBuilder _body = new();

    public IResponseEncoder Encoder => encoder;

    public StreamInfo StreamInfo => throw new NotSupportedException();

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        recorder.Note($"head {CodecRecorder.Show(headers)}");
        End(endStream);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        _body.Append(Encoding.Latin1.GetString(data.ToArray()));
        data.Clear();
        End(endStream);
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        recorder.Note($"body {_body}");
        recorder.Note($"trailers {CodecRecorder.Show(trailers)}");
        recorder.Answer?.Invoke(encoder);
    }

    public void SendLocalReply(int code, string body, string details, bool isGrpc = false) =>
        recorder.Note($"reply {code} {details}");

    public void OnResetStream(StreamResetReason reason, string transportFailureReason) => recorder.Note($"reset {reason}");

    public void OnAboveWriteBufferHighWatermark() => recorder.Note("high");

    public void OnBelowWriteBufferLowWatermark() => recorder.Note("low");

    private void End(bool endStream)
    {
        if (endStream)
        {
            recorder.Note($"end {_body}");
            recorder.Answer?.Invoke(encoder);
        }
    }
}

internal sealed class ClientExchange(CodecRecorder recorder) : IResponseDecoder, IStreamCallbacks
{
    private readonly StringBuilder _body = new();

    public void Decode1xxHeaders(HeaderMap headers) => recorder.Note($"1xx {CodecRecorder.Show(headers)}");

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        recorder.Note($"head {CodecRecorder.Show(headers)}");
        End(endStream);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        _body.Append(Encoding.Latin1.GetString(data.ToArray()));
        data.Clear();
        End(endStream);
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        recorder.Note($"body {_body}");
        recorder.Note($"trailers {CodecRecorder.Show(trailers)}");
    }

    public void OnResetStream(StreamResetReason reason, string transportFailureReason) => recorder.Note($"reset {reason}");

    public void OnAboveWriteBufferHighWatermark() => recorder.Note("high");

    public void OnBelowWriteBufferLowWatermark() => recorder.Note("low");

    private void End(bool endStream)
    {
        if (endStream)
        {
            recorder.Note($"end {_body}");
        }
    }
}
