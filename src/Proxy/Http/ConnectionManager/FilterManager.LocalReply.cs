using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Answers given in the upstream's place.</summary>
internal sealed partial class FilterManager
{
    private sealed record PreparedReply(int Code, byte[] Body, Action<HeaderMap>? ModifyHeaders, int? GrpcStatus, string Details);

    public void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus,
        string details)
    {
        if (_destroyed)
        {
            return;
        }
        if (Owner.AnswerElsewhere(code, body, modifyHeaders, grpcStatus, details))
        {
            DecoderChainAborted = true;
            EncoderChainAborted = true;
            return;
        }
        // A filter whose callback is on the stack is not iterated over again: the chain of its direction ends here.
        if ((_call & FilterCall.Decoding) != 0)
        {
            DecoderChainAborted = true;
        }
        else if ((_call & FilterCall.Encoding) != 0)
        {
            EncoderChainAborted = true;
        }
        Owner.StreamInfo.ResponseCodeDetails = details;
        Owner.OnLocalReply(code);
        var reply = new PreparedReply(code, body.ToArray(), modifyHeaders, grpcStatus, details);
        if (Owner.ResponseHeaders is null)
        {
            Owner.CreateFilterChain();
            NotifyLocalReply(code, details);
            if ((_call & (FilterCall.Decoding | FilterCall.Encoding)) != 0)
            {
                _preparedReply = reply;
            }
            else
            {
                SendThroughFilters(reply);
            }
        }
        else if (!FinalHeadersEncoded)
        {
            NotifyLocalReply(code, details);
            if ((_call & FilterCall.Encoding) != 0)
            {
                _preparedReply = reply;
            }
            else
            {
                SendDirectly(reply);
            }
        }
        else
        {
            NotifyLocalReply(code, details);
            Owner.ResetStream(StreamResetReason.LocalReset);
        }
    }

    private void NotifyLocalReply(int code, string details)
    {
        foreach (var decoder in _decoders)
        {
            decoder.Filter.OnLocalReply(code, details);
        }
        foreach (var encoder in _encoders)
        {
            if (!encoder.IsDual)
            {
                encoder.Filter.OnLocalReply(code, details);
            }
        }
    }

    private void ExecutePreparedReply()
    {
        if (_preparedReply is not { } reply)
        {
            return;
        }
        _preparedReply = null;
        if (EncoderChainAborted)
        {
            SendDirectly(reply);
        }
        else
        {
            SendThroughFilters(reply);
        }
    }

    private void SendThroughFilters(PreparedReply reply)
    {
        var (headers, body) = Build(reply with { ModifyHeaders = Finalized(reply.ModifyHeaders) });
        Owner.ResponseHeaders = headers;
        EncodeHeaders(null, headers, body.Length == 0 || HeadersOnly(headers));
        if (body.Length > 0 && !HeadersOnly(headers) && !SawDownstreamReset)
        {
            EncodeData(null, BufferOf(body), true, startFromCurrent: true);
        }
    }

    private Action<HeaderMap> Finalized(Action<HeaderMap>? modify) => headers =>
    {
        Owner.FinalizeRouteHeaders(headers);
        modify?.Invoke(headers);
    };

    // The upstream's headers are held by an encoder filter: the answer replaces them and passes no filter.
    private void SendDirectly(PreparedReply reply)
    {
        EncoderChainAborted = true;
        var (headers, body) = Build(reply);
        Owner.ResponseHeaders = headers;
        Owner.ResponseTrailers = null;
        FinalHeadersEncoded = true;
        var headersOnly = body.Length == 0 || HeadersOnly(headers);
        Owner.EncodeHeaders(headers, headersOnly);
        if (SawDownstreamReset)
        {
            return;
        }
        if (!headersOnly)
        {
            Owner.EncodeData(BufferOf(body), true);
            if (SawDownstreamReset)
            {
                return;
            }
        }
        MaybeEndEncode(true);
    }

    private bool HeadersOnly(HeaderMap headers) => IsHeadRequest || (IsGrpcRequest && headers.Contains(KnownHeader.GrpcStatus));

    private (HeaderMap Headers, byte[] Body) Build(PreparedReply reply) =>
        Owner.LocalReply.Build(Owner.RequestHeaders, Owner.StreamInfo, IsGrpcRequest, reply.Code, reply.Body,
            reply.ModifyHeaders, reply.GrpcStatus);

    private static ByteBuffer BufferOf(byte[] body)
    {
        var buffer = new ByteBuffer();
        buffer.Append(body);
        return buffer;
    }
}
