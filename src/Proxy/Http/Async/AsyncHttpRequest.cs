using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>A call with one whole request and one whole response.</summary>
internal sealed class AsyncHttpRequest(IAsyncRequestCallbacks callbacks, uint maxResponseBytes)
    : IAsyncRequest, IResponseDecoder, IAsyncStreamCallbacks
{
    private readonly ByteBuffer _body = new();
    private HeaderMap? _headers;
    private HeaderMap? _trailers;

    public AsyncHttpStream? Stream { get; set; }

    /// <summary>The callbacks have been told, or nobody wants to hear any more.</summary>
    public bool Done { get; private set; }

    public Observability.StreamInfo? StreamInfo => Stream?.StreamInfo;

    public void Cancel()
    {
        if (!Done)
        {
            Done = true;
            Stream!.Reset();
        }
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream) => _headers = headers;

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        _body.MoveFrom(data);
        if (maxResponseBytes > 0 && _body.Length > maxResponseBytes && !Done)
        {
            Done = true;
            Stream!.Reset();
            callbacks.OnFailure("the response is larger than allowed");
        }
    }

    public void DecodeTrailers(HeaderMap trailers) => _trailers = trailers;

    public void OnComplete()
    {
        if (!Done)
        {
            Done = true;
            callbacks.OnSuccess(_headers!, _body, _trailers);
        }
    }

    public void OnReset(string reason)
    {
        if (!Done)
        {
            Done = true;
            callbacks.OnFailure(reason);
        }
    }
}
