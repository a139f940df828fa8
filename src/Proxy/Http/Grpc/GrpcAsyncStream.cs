using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>One gRPC stream over an asynchronous client (Envoy's Grpc::AsyncStreamImpl).</summary>
public sealed class GrpcAsyncStream : IResponseDecoder, IAsyncStreamCallbacks
{
    private readonly IGrpcStreamCallbacks _callbacks;
    private readonly GrpcMessages _messages;
    private readonly IAsyncStream? _stream;
    private bool _closed;

    internal GrpcAsyncStream(IAsyncHttpClient client, AsyncRequestOptions options, HeaderMap headers, uint maxMessageBytes,
        IGrpcStreamCallbacks callbacks)
    {
        _callbacks = callbacks;
        _messages = new GrpcMessages(maxMessageBytes);
        _stream = client.Start(options, this, this);
        if (_stream is null)
        {
            Close(GrpcStatus.Unavailable, "the cluster gives no stream");
            return;
        }
        _stream.SendHeaders(headers, false);
    }

    /// <summary>False once the end was told or the stream was reset.</summary>
    public bool IsOpen => !_closed;

    /// <summary>The peer takes no more for now: hold back what can wait.</summary>
    public bool IsAboveWriteBufferHighWatermark => _stream?.IsAboveWriteBufferHighWatermark ?? false;

    /// <summary>The exchange's own record; null when the cluster gave no stream.</summary>
    public Observability.StreamInfo? StreamInfo => _stream?.StreamInfo;

    public void Send(ReadOnlySpan<byte> message, bool endStream = false)
    {
        if (_closed)
        {
            return;
        }
        var data = new ByteBuffer();
        GrpcMessages.Write(data, message);
        _stream!.SendData(data, endStream);
    }

    /// <summary>Our side has nothing more to say.</summary>
    public void CloseSending()
    {
        if (!_closed)
        {
            _stream!.SendData(new ByteBuffer(), true);
        }
    }

    /// <summary>Gives the stream up; the callbacks hear nothing more.</summary>
    public void Reset()
    {
        if (!_closed)
        {
            _closed = true;
            _stream?.Reset();
        }
    }

    void IResponseDecoder.Decode1xxHeaders(HeaderMap headers)
    {
    }

    void IResponseDecoder.DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var status = HeaderUtility.Status(headers);
        if (status != 200)
        {
            // An answer that is not gRPC's: what HTTP says is all there is.
            Fail(GrpcStatus.FromHttp(status), headers.GetString(KnownHeader.GrpcMessage) ?? "");
        }
        else if (endStream)
        {
            CloseBy(headers);
        }
        else if (!_closed)
        {
            _callbacks.OnInitialMetadata(headers);
        }
    }

    void IResponseDecoder.DecodeData(ByteBuffer data, bool endStream)
    {
        _messages.Append(data);
        try
        {
            while (!_closed && _messages.TryRead(out var message))
            {
                _callbacks.OnMessage(message);
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

    void IResponseDecoder.DecodeTrailers(HeaderMap trailers) => CloseBy(trailers);

    void IAsyncStreamCallbacks.OnReset(string reason) => Close(GrpcStatus.Internal, reason);

    void IAsyncStreamCallbacks.OnComplete()
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

    private void CloseBy(HeaderMap trailers) =>
        Close(GrpcCommon.Status(trailers) ?? GrpcStatus.Unknown, trailers.GetString(KnownHeader.GrpcMessage) ?? "");

    private void Close(int status, string message)
    {
        if (!_closed)
        {
            _closed = true;
            _callbacks.OnClosed(status, message);
        }
    }
}
