using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>A mirrored request on its way: nobody waits for its answer.</summary>
internal sealed class MirrorStream : IResponseDecoder, IAsyncStreamCallbacks
{
    private IAsyncStream? _stream;
    private bool _ended;

    /// <summary>Null when it ended at once.</summary>
    public static MirrorStream? Start(IClusterManager clusters, ICluster cluster, HeaderMap headers, bool endStream, TimeSpan timeout,
        bool? sampled, IStreamDecoderFilterCallbacks parent)
    {
        if (clusters.AsyncClient(cluster.Name) is not { } client)
        {
            return null;
        }
        var mirror = new MirrorStream();
        var options = new AsyncRequestOptions
        {
            Timeout = timeout,
            ParentStreamInfo = parent.StreamInfo,
            ParentSpan = parent.ActiveSpan,
            SpanName = "mirror",
            Sampled = sampled,
        };
        mirror._stream = client.Start(options, mirror, mirror);
        mirror._stream?.SendHeaders(headers, endStream);
        return mirror._ended ? null : mirror;
    }

    public void SendData(ByteBuffer data, bool endStream)
    {
        if (!_ended)
        {
            _stream?.SendData(data, endStream);
        }
    }

    public void SendTrailers(HeaderMap trailers)
    {
        if (!_ended)
        {
            _stream?.SendTrailers(trailers);
        }
    }

    public void Reset()
    {
        if (!_ended)
        {
            _ended = true;
            _stream?.Reset();
        }
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
    }

    public void OnReset(string reason) => _ended = true;

    public void OnComplete() => _ended = true;
}
