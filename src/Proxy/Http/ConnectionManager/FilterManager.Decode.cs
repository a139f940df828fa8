using System.Diagnostics;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The request's way through the decoder filters.</summary>
internal sealed partial class FilterManager
{
    public void DecodeHeaders(ActiveDecoderFilter? after, HeaderMap headers, bool endStream)
    {
        var bodyAddedAt = -1;
        for (var i = FirstDecoder(after, startFromCurrent: false, headersPhase: true); i < _decoders.Count; i++)
        {
            var entry = _decoders[i];
            entry.EndStream = endStream && bodyAddedAt < 0;
            _call |= FilterCall.DecodeHeaders;
            var status = entry.DecodeHeaders(headers, entry.EndStream);
            _call &= ~FilterCall.DecodeHeaders;
            if (entry.EndStream)
            {
                entry.Filter.DecodeComplete();
            }
            if (DecoderChainAborted)
            {
                ExecutePreparedReply();
                status = FilterHeadersStatus.StopIteration;
            }
            if (status == FilterHeadersStatus.ContinueAndDontEndStream)
            {
                entry.EndStream = false;
                endStream = false;
            }
            // The last filter's stop is ignored here: a filter before it may have added a body it must see.
            if (!entry.AfterHeaders(status) && i + 1 < _decoders.Count)
            {
                ContinueWithAddedBody(bodyAddedAt);
                return;
            }
            if (endStream && BufferedRequest is not null && bodyAddedAt < 0)
            {
                bodyAddedAt = i;
            }
        }
        ContinueWithAddedBody(bodyAddedAt);
        if (endStream)
        {
            Owner.DisarmRequestTimeout();
        }
    }

    private void ContinueWithAddedBody(int at)
    {
        if (at >= 0)
        {
            _decoders[at].StopSingle();
            _decoders[at].ContinueDecoding();
        }
    }

    public void DecodeData(ActiveDecoderFilter? after, ByteBuffer data, bool endStream, bool startFromCurrent)
    {
        Owner.ResetIdleTimer();
        if (StopDecoderFilterChain)
        {
            return;
        }
        var trailersAddedAt = -1;
        var hadTrailers = Owner.RequestTrailers is not null;
        for (var i = FirstDecoder(after, startFromCurrent, headersPhase: false); i < _decoders.Count; i++)
        {
            var entry = _decoders[i];
            // A filter that saw the end of the stream in its headers takes no data; nor do those after it.
            if (entry.HandleDataIfStopAll(data, ref _decodersStreaming) || entry.EndStream)
            {
                return;
            }
            entry.EndStream = endStream && Owner.RequestTrailers is null;
            _call |= FilterCall.DecodeData;
            var status = entry.Filter.DecodeData(data, entry.EndStream);
            _call &= ~FilterCall.DecodeData;
            if (entry.EndStream)
            {
                entry.Filter.DecodeComplete();
            }
            if (DecoderChainAborted)
            {
                ExecutePreparedReply();
                status = FilterDataStatus.StopIterationNoBuffer;
            }
            if (!hadTrailers && Owner.RequestTrailers is not null && trailersAddedAt < 0)
            {
                endStream = false;
                trailersAddedAt = i;
            }
            if (!entry.AfterData(status, data, ref _decodersStreaming) && i + 1 < _decoders.Count)
            {
                break;
            }
        }
        if (trailersAddedAt >= 0)
        {
            DecodeTrailers(_decoders[trailersAddedAt], Owner.RequestTrailers!);
        }
        if (endStream)
        {
            Owner.DisarmRequestTimeout();
        }
    }

    public void DecodeTrailers(ActiveDecoderFilter? after, HeaderMap trailers)
    {
        Owner.ResetIdleTimer();
        if (StopDecoderFilterChain)
        {
            return;
        }
        for (var i = FirstDecoder(after, startFromCurrent: true, headersPhase: false); i < _decoders.Count; i++)
        {
            var entry = _decoders[i];
            if (entry.StoppedAll)
            {
                return;
            }
            _call |= FilterCall.DecodeTrailers;
            var status = entry.Filter.DecodeTrailers(trailers);
            _call &= ~FilterCall.DecodeTrailers;
            entry.Filter.DecodeComplete();
            entry.EndStream = true;
            if (DecoderChainAborted)
            {
                ExecutePreparedReply();
                status = FilterTrailersStatus.StopIteration;
            }
            if (!entry.AfterTrailers(status) && i + 1 < _decoders.Count)
            {
                return;
            }
        }
        Owner.DisarmRequestTimeout();
    }

    public void AddDecodedData(ActiveDecoderFilter filter, ByteBuffer data, bool streaming)
    {
        if ((_call & FilterCall.DecodeTrailers) != 0 && filter.CanIterate)
        {
            DecodeData(filter, data, false, startFromCurrent: false);
            return;
        }
        _decodersStreaming = streaming;
        filter.BufferData(data);
    }

    public HeaderMap AddDecodedTrailers()
    {
        Debug.Assert(Owner.RequestTrailers is null && DecodeComplete);
        return Owner.RequestTrailers = new HeaderMap();
    }

    private static int FirstDecoder(ActiveDecoderFilter? after, bool startFromCurrent, bool headersPhase)
    {
        if (after is null)
        {
            return 0;
        }
        return startFromCurrent && !headersPhase && after.IterateFromCurrentFilter ? after.Position : after.Position + 1;
    }
}
