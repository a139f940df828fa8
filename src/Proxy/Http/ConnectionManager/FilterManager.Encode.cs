using System.Diagnostics;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The response's way through the encoder filters to the codec.</summary>
internal sealed partial class FilterManager
{
    public void Encode1xxHeaders(ActiveEncoderFilter? after, HeaderMap headers)
    {
        Owner.ResetIdleTimer();
        for (var i = FirstEncoder(after, startFromCurrent: false, endStream: false); i < _encoders.Count; i++)
        {
            _call |= FilterCall.Encode1xx;
            var status = _encoders[i].Filter.Encode1xxHeaders(headers);
            _call &= ~FilterCall.Encode1xx;
            if (!_encoders[i].After1xxHeaders(status))
            {
                return;
            }
        }
        Owner.Encode1xxHeaders(headers);
    }

    public void EncodeHeaders(ActiveEncoderFilter? after, HeaderMap headers, bool endStream)
    {
        Owner.ResetIdleTimer();
        Owner.DisarmRequestTimeout();
        var bodyAddedAt = -1;
        for (var i = FirstEncoder(after, startFromCurrent: false, endStream); i < _encoders.Count; i++)
        {
            var entry = _encoders[i];
            entry.EndStream = endStream && bodyAddedAt < 0;
            _call |= FilterCall.EncodeHeaders;
            var status = entry.Filter.EncodeHeaders(headers, entry.EndStream);
            _call &= ~FilterCall.EncodeHeaders;
            if (EncoderChainAborted)
            {
                ExecutePreparedReply();
                return;
            }
            if (entry.EndStream)
            {
                entry.Filter.EncodeComplete();
            }
            if (status == FilterHeadersStatus.ContinueAndDontEndStream)
            {
                entry.EndStream = false;
                endStream = false;
            }
            if (!entry.AfterHeaders(status))
            {
                if (!entry.EndStream)
                {
                    ContinueWithAddedResponseBody(bodyAddedAt);
                }
                return;
            }
            if (endStream && BufferedResponse is not null && bodyAddedAt < 0)
            {
                bodyAddedAt = i;
            }
        }
        var ends = endStream && bodyAddedAt < 0;
        FinalHeadersEncoded = true;
        Owner.EncodeHeaders(headers, ends);
        if (SawDownstreamReset)
        {
            return;
        }
        MaybeEndEncode(ends);
        if (!ends)
        {
            ContinueWithAddedResponseBody(bodyAddedAt);
        }
    }

    private void ContinueWithAddedResponseBody(int at)
    {
        if (at >= 0)
        {
            _encoders[at].StopSingle();
            _encoders[at].ContinueEncoding();
        }
    }

    public void EncodeData(ActiveEncoderFilter? after, ByteBuffer data, bool endStream, bool startFromCurrent)
    {
        Owner.ResetIdleTimer();
        var trailersAddedAt = -1;
        var hadTrailers = Owner.ResponseTrailers is not null;
        for (var i = FirstEncoder(after, startFromCurrent, endStream); i < _encoders.Count; i++)
        {
            var entry = _encoders[i];
            if (entry.HandleDataIfStopAll(data, ref _encodersStreaming) || entry.EndStream)
            {
                return;
            }
            entry.EndStream = endStream && Owner.ResponseTrailers is null;
            _call |= FilterCall.EncodeData;
            var status = entry.Filter.EncodeData(data, entry.EndStream);
            _call &= ~FilterCall.EncodeData;
            if (EncoderChainAborted)
            {
                ExecutePreparedReply();
                return;
            }
            if (entry.EndStream)
            {
                entry.Filter.EncodeComplete();
            }
            if (!hadTrailers && Owner.ResponseTrailers is not null && trailersAddedAt < 0)
            {
                endStream = false;
                trailersAddedAt = i;
            }
            if (!entry.AfterData(status, data, ref _encodersStreaming))
            {
                return;
            }
        }
        var ends = endStream && trailersAddedAt < 0;
        Owner.EncodeData(data, ends);
        if (SawDownstreamReset)
        {
            return;
        }
        MaybeEndEncode(ends);
        if (trailersAddedAt >= 0)
        {
            EncodeTrailers(_encoders[trailersAddedAt], Owner.ResponseTrailers!);
        }
    }

    public void EncodeTrailers(ActiveEncoderFilter? after, HeaderMap trailers)
    {
        Owner.ResetIdleTimer();
        for (var i = FirstEncoder(after, startFromCurrent: true, endStream: true); i < _encoders.Count; i++)
        {
            var entry = _encoders[i];
            if (entry.StoppedAll)
            {
                return;
            }
            _call |= FilterCall.EncodeTrailers;
            var status = entry.Filter.EncodeTrailers(trailers);
            _call &= ~FilterCall.EncodeTrailers;
            if (EncoderChainAborted)
            {
                ExecutePreparedReply();
                return;
            }
            entry.Filter.EncodeComplete();
            entry.EndStream = true;
            if (!entry.AfterTrailers(status))
            {
                return;
            }
        }
        Owner.EncodeTrailers(trailers);
        if (!SawDownstreamReset)
        {
            MaybeEndEncode(true);
        }
    }

    public void AddEncodedData(ActiveEncoderFilter filter, ByteBuffer data, bool streaming)
    {
        if ((_call & FilterCall.EncodeTrailers) != 0 && filter.CanIterate)
        {
            EncodeData(filter, data, false, startFromCurrent: false);
            return;
        }
        _encodersStreaming = streaming;
        filter.BufferData(data);
    }

    public HeaderMap AddEncodedTrailers()
    {
        Debug.Assert(Owner.ResponseTrailers is null && EncodeEndObserved);
        return Owner.ResponseTrailers = new HeaderMap();
    }

    private void MaybeEndEncode(bool endStream)
    {
        if (endStream)
        {
            EncodeEnded = true;
            Owner.EndStream();
        }
    }

    private int FirstEncoder(ActiveEncoderFilter? after, bool startFromCurrent, bool endStream)
    {
        if (after is null)
        {
            EncodeEndObserved = endStream;
            return 0;
        }
        return startFromCurrent && after.IterateFromCurrentFilter ? after.Position : after.Position + 1;
    }
}
