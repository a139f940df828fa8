using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>One filter on the response of one stream.</summary>
internal sealed class ActiveEncoderFilter(FilterManager parent, IStreamEncoderFilter filter, string name, bool dual)
    : ActiveFilterBase(parent, name), IStreamEncoderFilterCallbacks
{
    public IStreamEncoderFilter Filter { get; } = filter;

    public bool IsDual { get; } = dual;

    protected override bool CanContinue => !Parent.EncodeEnded && !Parent.EncoderChainAborted;

    protected override bool Has1xxHeaders => Parent.Owner.InformationalHeaders is not null;

    protected override bool HasHeaders => Parent.Owner.ResponseHeaders is not null;

    protected override bool HasTrailers => Parent.Owner.ResponseTrailers is not null;

    protected override bool Complete => Parent.EncodeEndObserved;

    protected override ByteBuffer? Buffered => Parent.BufferedResponse;

    protected override ByteBuffer CreateBuffer() => Parent.BufferedResponse = new ByteBuffer();

    protected override void Do1xxHeaders() => Parent.Encode1xxHeaders(this, Parent.Owner.InformationalHeaders!);

    protected override void DoHeaders(bool endStream) => Parent.EncodeHeaders(this, Parent.Owner.ResponseHeaders!, endStream);

    protected override void DoData(bool endStream)
    {
        Parent.EncodeData(this, Parent.BufferedResponse!, endStream, startFromCurrent: true);
        Parent.CheckResponseDrained();
    }

    protected override void DoTrailers() => Parent.EncodeTrailers(this, Parent.Owner.ResponseTrailers!);

    protected override void AfterBuffering() => Parent.CheckResponseLimit(this);

    public void ContinueEncoding() => CommonContinue();

    public ByteBuffer? EncodingBuffer => Parent.BufferedResponse;

    public void AddEncodedData(ByteBuffer data, bool streaming) => Parent.AddEncodedData(this, data, streaming);

    public void InjectEncodedDataToFilterChain(ByteBuffer data, bool endStream)
    {
        if (!HeadersContinued)
        {
            AfterHeaders(FilterHeadersStatus.Continue);
            Parent.EncodeHeaders(this, Parent.Owner.ResponseHeaders!, false);
        }
        Parent.EncodeData(this, data, endStream, startFromCurrent: false);
    }

    public HeaderMap AddEncodedTrailers() => Parent.AddEncodedTrailers();

    public void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus,
        string details) => Parent.SendLocalReply(code, body, modifyHeaders, grpcStatus, details);

    public void OnEncoderFilterAboveWriteBufferHighWatermark() => Parent.CallHighWatermarkCallbacks();

    public void OnEncoderFilterBelowWriteBufferLowWatermark() => Parent.CallLowWatermarkCallbacks();

    public uint EncoderBufferLimit
    {
        get => Parent.BufferLimit;
        set => Parent.BufferLimit = value;
    }
}
