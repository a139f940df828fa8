using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>A filter that lets everything pass; filters override what they care for.</summary>
public abstract class PassThroughFilter : IStreamDecoderFilter, IStreamEncoderFilter
{
    protected IStreamDecoderFilterCallbacks Decoder { get; private set; } = null!;

    protected IStreamEncoderFilterCallbacks Encoder { get; private set; } = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => Decoder = callbacks;

    public void SetEncoderFilterCallbacks(IStreamEncoderFilterCallbacks callbacks) => Encoder = callbacks;

    public virtual FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream) => FilterHeadersStatus.Continue;

    public virtual FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public virtual FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public virtual FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream) => FilterHeadersStatus.Continue;

    public virtual FilterDataStatus EncodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public virtual FilterTrailersStatus EncodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public virtual void OnLocalReply(int code, string details)
    {
    }

    public virtual void OnStreamComplete()
    {
    }

    public virtual void OnDestroy()
    {
    }
}
