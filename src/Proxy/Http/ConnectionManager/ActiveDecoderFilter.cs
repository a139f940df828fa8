using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>One filter on the request of one stream.</summary>
internal sealed class ActiveDecoderFilter(FilterManager parent, IStreamDecoderFilter filter, string name, bool dual)
    : ActiveFilterBase(parent, name), IStreamDecoderFilterCallbacks
{
    private bool _isGrpcRequest;

    public IStreamDecoderFilter Filter { get; } = filter;

    /// <summary>The same object is an encoder filter too and is destroyed once.</summary>
    public bool IsDual { get; } = dual;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _isGrpcRequest = Grpc.GrpcCommon.IsGrpcRequest(headers);
        return Filter.DecodeHeaders(headers, endStream);
    }

    protected override bool CanContinue => !Parent.StopDecoderFilterChain;

    protected override bool Has1xxHeaders => false;

    protected override bool HasHeaders => Parent.Owner.RequestHeaders is not null;

    protected override bool HasTrailers => Parent.Owner.RequestTrailers is not null;

    protected override bool Complete => Parent.DecodeComplete;

    protected override ByteBuffer? Buffered => Parent.BufferedRequest;

    protected override ByteBuffer CreateBuffer() => Parent.BufferedRequest = new ByteBuffer();

    protected override void Do1xxHeaders()
    {
    }

    protected override void DoHeaders(bool endStream) => Parent.DecodeHeaders(this, Parent.Owner.RequestHeaders!, endStream);

    protected override void DoData(bool endStream)
    {
        Parent.DecodeData(this, Parent.BufferedRequest!, endStream, startFromCurrent: true);
        Parent.CheckRequestDrained();
    }

    protected override void DoTrailers() => Parent.DecodeTrailers(this, Parent.Owner.RequestTrailers!);

    protected override void AfterBuffering() => Parent.CheckRequestLimit(this);

    public void ContinueDecoding() => CommonContinue();

    public ByteBuffer? DecodingBuffer => Parent.BufferedRequest;

    public void AddDecodedData(ByteBuffer data, bool streaming) => Parent.AddDecodedData(this, data, streaming);

    public void InjectDecodedDataToFilterChain(ByteBuffer data, bool endStream)
    {
        if (!HeadersContinued)
        {
            AfterHeaders(FilterHeadersStatus.Continue);
            Parent.DecodeHeaders(this, Parent.Owner.RequestHeaders!, false);
        }
        Parent.DecodeData(this, data, endStream, startFromCurrent: false);
    }

    public HeaderMap AddDecodedTrailers() => Parent.AddDecodedTrailers();

    public void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus,
        string details) => Parent.SendLocalReply(code, body, modifyHeaders, grpcStatus, details);

    public bool IsGrpcRequest => _isGrpcRequest;

    public void Encode1xxHeaders(HeaderMap headers)
    {
        // Forwarded only on request (proxy_100_continue): many clients cannot take them.
        if (Parent.Proxy100Continue)
        {
            Parent.Owner.InformationalHeaders = headers;
            Parent.Encode1xxHeaders(null, headers);
        }
    }

    public void EncodeHeaders(HeaderMap headers, bool endStream, string details)
    {
        StreamInfo.ResponseCodeDetails = details;
        Parent.Owner.ResponseHeaders = headers;
        Parent.EncodeHeaders(null, headers, endStream);
    }

    public void EncodeData(ByteBuffer data, bool endStream) =>
        Parent.EncodeData(null, data, endStream, startFromCurrent: true);

    public void EncodeTrailers(HeaderMap trailers)
    {
        Parent.Owner.ResponseTrailers = trailers;
        Parent.EncodeTrailers(null, trailers);
    }

    public void OnDecoderFilterAboveWriteBufferHighWatermark() =>
        Parent.Owner.OnDecoderFilterAboveWriteBufferHighWatermark();

    public void OnDecoderFilterBelowWriteBufferLowWatermark() =>
        Parent.Owner.OnDecoderFilterBelowWriteBufferLowWatermark();

    public void AddDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks) =>
        Parent.AddDownstreamWatermarkCallbacks(callbacks);

    public void RemoveDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks) =>
        Parent.RemoveDownstreamWatermarkCallbacks(callbacks);

    public uint DecoderBufferLimit
    {
        get => Parent.BufferLimit;
        set
        {
            Parent.BufferLimit = value;
            if (Parent.BufferedRequest is not null)
            {
                Parent.CheckRequestLimit(this);
            }
        }
    }

    public bool RecreateStream(HeaderMap? originalResponseHeaders) => Parent.RecreateStream(originalResponseHeaders);

    public (string Address, bool Strict)? UpstreamOverrideHost
    {
        get => Parent.UpstreamOverrideHost;
        set => Parent.UpstreamOverrideHost = value;
    }

    public void SetRoute(Route? route) => Parent.Owner.SetRoute(route);

    public Codec.CodecLimits RequestHeaderLimits => Parent.Owner.RequestHeaderLimits;

    public TransportSocketOptions? UpstreamTransportSocketOptions => Parent.Owner.UpstreamTransportSocketOptions;
}
