using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Stands for a filter whose configuration has not come: it might be one that protects, so requests are refused.</summary>
internal sealed class MissingConfigFilter : IStreamDecoderFilter
{
    private IStreamDecoderFilterCallbacks _callbacks = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _callbacks.StreamInfo.SetFlag(ResponseFlags.NoFilterConfigFound);
        _callbacks.SendLocalReply(500, default, null, null, "");
        return FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.StopIterationNoBuffer;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.StopIteration;

    public void OnDestroy()
    {
    }
}
