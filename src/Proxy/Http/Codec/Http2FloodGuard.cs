namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// Bounds what a peer can make us do at little cost (Envoy's ProtocolConstraints): frames that wait to be sent, frames
/// without content, priorities and window updates out of proportion. Null when all is within bounds, else the error.
/// </summary>
internal sealed class Http2FloodGuard(Http2Settings settings, Http2Stats stats)
{
    private readonly Queue<Written> _waiting = new();
    private long _enqueued;
    private uint _frames;
    private uint _controlFrames;
    private uint _framesHere;
    private uint _controlFramesHere;
    private uint _emptyInARow;
    private ulong _priorities;
    private ulong _windowUpdates;
    private ulong _streams;
    private ulong _dataFramesSent;

    public void OnStreamOpened() => _streams++;

    public CodecError? OnReceived(Http2FrameType type, bool endStream, int length)
    {
        switch (type)
        {
            case Http2FrameType.Data or Http2FrameType.Headers or Http2FrameType.Continuation:
                _emptyInARow = length == 0 && !endStream ? _emptyInARow + 1 : 0;
                return _emptyInARow > settings.MaxConsecutiveInboundFramesWithEmptyPayload
                    ? Flood(
                        Http2Stats.Stat.InboundEmptyFramesFlood, CodecErrorKind.InboundFramesWithEmptyPayload,
                        CodecDetails.Http2InboundEmptyFramesFlood)
                    : null;
            case Http2FrameType.Priority:
                _priorities++;
                return _priorities > settings.MaxInboundPriorityFramesPerStream * (1 + _streams)
                    ? Flood(
                        Http2Stats.Stat.InboundPriorityFramesFlood, CodecErrorKind.BufferFlood,
                        "codec_error:Too_many_PRIORITY_frames")
                    : null;
            case Http2FrameType.WindowUpdate:
                _windowUpdates++;
                // Envoy's allowance: a handful, two a stream, and some for each frame of data we sent.
                return _windowUpdates > 5 + (2 * (_streams + (settings.MaxInboundWindowUpdateFramesPerDataFrameSent * _dataFramesSent)))
                    ? Flood(
                        Http2Stats.Stat.InboundWindowUpdateFramesFlood, CodecErrorKind.BufferFlood,
                        "codec_error:Too_many_WINDOW_UPDATE_frames")
                    : null;
            default:
                return null;
        }
    }

    public CodecError? OnQueued(bool isData, bool isControl)
    {
        _framesHere++;
        _dataFramesSent += isData ? 1u : 0;
        _controlFramesHere += isControl ? 1u : 0;
        if (_frames + _framesHere > settings.MaxOutboundFrames)
        {
            return Flood(Http2Stats.Stat.OutboundFlood, CodecErrorKind.BufferFlood, "codec_error:Too_many_frames_in_the_outbound_queue.");
        }
        return _controlFrames + _controlFramesHere > settings.MaxOutboundControlFrames
            ? Flood(
                Http2Stats.Stat.OutboundControlFlood, CodecErrorKind.BufferFlood,
                "codec_error:Too_many_control_frames_in_the_outbound_queue.")
            : null;
    }

    /// <summary>The frames queued so far go to the connection.</summary>
    /// <param name="bytes">Bytes they take.</param>
    /// <param name="unsent">Bytes the connection holds already and could not send yet.</param>
    public void OnWrite(long bytes, long unsent)
    {
        if (unsent == 0)
        {
            _waiting.Clear();
            _frames = _controlFrames = 0;
        }
        while (_waiting.TryPeek(out var oldest) && oldest.End <= _enqueued - unsent)
        {
            _waiting.Dequeue();
            _frames -= oldest.Frames;
            _controlFrames -= oldest.ControlFrames;
        }
        _enqueued += bytes;
        _waiting.Enqueue(new Written(_enqueued, _framesHere, _controlFramesHere));
        _frames += _framesHere;
        _controlFrames += _controlFramesHere;
        _framesHere = _controlFramesHere = 0;
    }

    private CodecError Flood(Http2Stats.Stat stat, CodecErrorKind kind, string details)
    {
        stats.Inc(stat);
        return new CodecError(kind, details);
    }

    private readonly record struct Written(long End, uint Frames, uint ControlFrames);
}
