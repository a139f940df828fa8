using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Discovery;

/// <summary>One gRPC stream over an asynchronous client.</summary>
internal sealed class ClusterStream(IDiscoveryStreamCallbacks callbacks) : IDiscoveryStream, IResponseDecoder, IAsyncStreamCallbacks
{
    private readonly GrpcFrameDecoder _frames = new();
    private IAsyncStream? _stream;
    private bool _starting = true;
    private bool _closed;

    /// <summary>False when the stream failed at once; the callbacks were not told.</summary>
    public bool Start(IAsyncHttpClient client, AsyncRequestOptions options, HeaderMap headers)
    {
        _stream = client.Start(options, this, this);
        if (_stream is null)
        {
            return false;
        }
        _stream.SendHeaders(headers, false);
        _starting = false;
        return !_closed;
    }

    public void Send(byte[] message)
    {
        if (_closed)
        {
            return;
        }
        var data = new ByteBuffer();
        GrpcFrameDecoder.Write(data, message);
        _stream!.SendData(data, false);
    }

    public void Reset()
    {
        if (!_closed)
        {
            _closed = true;
            _stream!.Reset();
        }
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var http = headers.GetString(KnownHeader.Status);
        if (http != "200")
        {
            Fail(GrpcStatus.FromHttp(int.TryParse(http, out var code) ? code : 0), $"the control plane answered with HTTP status {http}");
        }
        else if (endStream)
        {
            Close(headers);
        }
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        _frames.Append(data);
        try
        {
            while (!_closed && _frames.TryRead(out var message))
            {
                callbacks.OnMessage(message);
            }
        }
        catch (InvalidDataException broken)
        {
            Fail(GrpcStatus.Internal, broken.Message);
            return;
        }
        if (endStream)
        {
            Fail(GrpcStatus.Unknown, "the stream ended without trailers");
        }
    }

    public void DecodeTrailers(HeaderMap trailers) => Close(trailers);

    public void OnReset(string reason) => Close(GrpcStatus.Unavailable, reason);

    /// <summary>Told already, by trailers.</summary>
    public void OnComplete()
    {
    }

    private void Fail(int status, string message)
    {
        if (!_closed)
        {
            _stream?.Reset();
            Close(status, message);
        }
    }

    private void Close(HeaderMap trailers) =>
        Close(GrpcCommon.Status(trailers) ?? GrpcStatus.Unknown, trailers.GetString(KnownHeader.GrpcMessage) ?? "");

    private void Close(int status, string message)
    {
        if (_closed)
        {
            return;
        }
        _closed = true;
        if (!_starting)
        {
            callbacks.OnClosed(status, message);
        }
    }
}
