using System.Buffers;
using System.Buffers.Binary;
using MeshProxy.Proxy.Http.Codec.Hpack;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>The sending half: header blocks, data within the peer's windows, and the frames of the connection itself.</summary>
public abstract partial class Http2Connection
{
    private readonly HpackEncoder _encoder;
    private readonly ByteBuffer _output = new();
    private readonly List<Http2Stream> _waiting = [];
    private long _sendWindow = Http2Protocol.DefaultWindow;

    public void GoAway()
    {
        QueueGoAway(_highestStream, Http2ErrorCode.NoError);
        Flush();
    }

    public void ShutdownNotice()
    {
        QueueGoAway(int.MaxValue, Http2ErrorCode.NoError);
        Flush();
    }

    internal void SendHeaders(Http2Stream stream, HeaderMap headers, bool endStream)
    {
        if (stream.Closed)
        {
            return;
        }
        var before = _output.Length;
        WriteBlock(stream.Id, headers, endStream);
        stream.Bytes.HeaderBytesSent += _output.Length - before;
        stream.Bytes.WireBytesSent += _output.Length - before;
        if (endStream)
        {
            OnEndSent(stream);
        }
        Flush();
    }

    /// <summary>Sends of what waits on the stream as much as the windows allow, in frames of at most 16 KiB.</summary>
    internal void Send(Http2Stream stream)
    {
        var waiting = stream.Blocked ? stream.Unsent.Length : 0;
        while (!stream.Unsent.IsEmpty && stream.SendWindow > 0 && _sendWindow > 0)
        {
            SendFrame(stream);
        }
        if (stream.Unsent.IsEmpty && stream.LocalEnd && !stream.LocalEndSent)
        {
            SendEnd(stream);
        }
        NoteWaiting(stream, waiting);
        if (!stream.Closed)
        {
            stream.OnUnsentChanged();
        }
        Flush();
    }

    /// <summary>Ends a stream abruptly.</summary>
    internal void Reset(Http2Stream stream, Http2ErrorCode code)
    {
        stream.Bytes.WireBytesSent += Http2Protocol.FrameHeaderLength + 4;
        Close(stream);
        SendReset(stream.Id, code);
        Flush();
    }

    private protected void SendReset(uint id, Http2ErrorCode code)
    {
        Stats.Inc(Http2Stats.Stat.TxReset);
        var frame = BeginFrame(4, Http2FrameType.RstStream, 0, id);
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)code);
        EndFrame(4, false, true);
    }

    private void SendFrame(Http2Stream stream)
    {
        var count = (int)Math.Min(Math.Min(stream.Unsent.Length, Http2Protocol.MaxFrameLength), Math.Min(stream.SendWindow, _sendWindow));
        var ends = count == stream.Unsent.Length && stream.LocalEnd && stream.UnsentTrailers is null;
        BeginFrame(count, Http2FrameType.Data, ends ? Http2Protocol.EndStream : (byte)0, stream.Id);
        EndFrame(0, true, false);
        _output.MoveFrom(stream.Unsent, count);
        stream.SendWindow -= count;
        _sendWindow -= count;
        stream.Bytes.WireBytesSent += count + Http2Protocol.FrameHeaderLength;
        if (ends)
        {
            OnEndSent(stream);
        }
    }

    private void SendEnd(Http2Stream stream)
    {
        if (stream.UnsentTrailers is { } trailers)
        {
            stream.UnsentTrailers = null;
            SendHeaders(stream, trailers, true);
            trailers.Return();
            return;
        }
        BeginFrame(0, Http2FrameType.Data, Http2Protocol.EndStream, stream.Id);
        EndFrame(0, true, false);
        stream.Bytes.WireBytesSent += Http2Protocol.FrameHeaderLength;
        OnEndSent(stream);
    }

    private void OnEndSent(Http2Stream stream)
    {
        stream.LocalEnd = stream.LocalEndSent = true;
        stream.TellEncodeComplete();
        if (stream.Closed)
        {
            return;
        }
        if (_isServer && !stream.RemoteEnd)
        {
            // A whole answer makes the rest of the request pointless (RFC 9113 8.1).
            Reset(stream, Http2ErrorCode.NoError);
        }
        else
        {
            CloseIfDone(stream);
        }
    }

    // The list of waiting streams, and the sum of what waits, follow what became of the stream.
    private void NoteWaiting(Http2Stream stream, long before)
    {
        if (stream.Closed)
        {
            return;
        }
        var waits = !stream.Unsent.IsEmpty;
        if (waits != stream.Blocked)
        {
            stream.Blocked = waits;
            if (waits)
            {
                _waiting.Add(stream);
            }
            else
            {
                _waiting.Remove(stream);
            }
        }
        if (stream.Unsent.Length != before)
        {
            Stats.Add(Http2Stats.Stat.PendingSendBytes, stream.Unsent.Length - before);
        }
    }

    private void OpenConnectionWindow(uint amount)
    {
        _sendWindow += amount;
        if (_sendWindow > Http2Protocol.MaxWindow)
        {
            Abort("codec_error:connection_window_overflow");
            return;
        }
        // A frame each in turn, so that one large body does not starve the others.
        for (var progress = true; progress && _sendWindow > 0;)
        {
            progress = false;
            for (var i = _waiting.Count - 1; i >= 0 && _sendWindow > 0; i--)
            {
                if (i < _waiting.Count && _waiting[i].SendWindow > 0)
                {
                    SendOne(_waiting[i]);
                    progress = true;
                }
            }
        }
        Flush();
    }

    private void SendOne(Http2Stream stream)
    {
        var before = stream.Unsent.Length;
        SendFrame(stream);
        if (stream.Unsent.IsEmpty && stream.LocalEnd && !stream.LocalEndSent)
        {
            SendEnd(stream);
        }
        NoteWaiting(stream, before);
        if (!stream.Closed)
        {
            stream.OnUnsentChanged();
        }
    }

    private void WriteBlock(uint id, HeaderMap headers, bool endStream)
    {
        var most = (int)headers.ByteSize + ((headers.Count + 1) * HpackEncoder.PerHeader);
        if (most <= Http2Protocol.MaxFrameLength)
        {
            var frame = BeginFrame(most, Http2FrameType.Headers, 0, id);
            var length = EncodeBlock(headers, frame);
            PatchHeader(length, (byte)((endStream ? Http2Protocol.EndStream : 0) | Http2Protocol.EndHeaders));
            EndFrame(length, false, false);
            return;
        }
        var whole = ArrayPool<byte>.Shared.Rent(most);
        WriteInPieces(id, whole.AsSpan(0, EncodeBlock(headers, whole)), endStream);
        ArrayPool<byte>.Shared.Return(whole);
    }

    private void WriteInPieces(uint id, ReadOnlySpan<byte> block, bool endStream)
    {
        var type = Http2FrameType.Headers;
        do
        {
            var length = Math.Min(block.Length, Http2Protocol.MaxFrameLength);
            var flags = type == Http2FrameType.Headers && endStream ? Http2Protocol.EndStream : 0;
            flags |= length == block.Length ? Http2Protocol.EndHeaders : 0;
            block[..length].CopyTo(BeginFrame(length, type, (byte)flags, id));
            EndFrame(length, false, false);
            block = block[length..];
            type = Http2FrameType.Continuation;
        }
        while (!block.IsEmpty);
    }

    // Pseudo headers first (RFC 9113 8.3); what HTTP/2 knows no connection headers for is left out (8.2.2).
    private int EncodeBlock(HeaderMap headers, Span<byte> space)
    {
        var written = _encoder.Begin(space);
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            if (headers.Known(i).IsPseudo())
            {
                written += _encoder.Encode(headers.Known(i), headers.Name(i), headers.Value(i), space[written..]);
            }
        }
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var known = headers.Known(i);
            if (!known.IsPseudo() && known is not (KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection
                or KnownHeader.TransferEncoding or KnownHeader.Upgrade or KnownHeader.Host))
            {
                written += _encoder.Encode(known, headers.Name(i), headers.Value(i), space[written..]);
            }
        }
        return written;
    }

    private void QueueOpening()
    {
        if (!_isServer)
        {
            _output.Append(Http2Protocol.Preface);
        }
        var count = _isServer ? 4 : 5;
        var frame = BeginFrame(count * 6, Http2FrameType.Settings, 0, 0);
        if (!_isServer)
        {
            WriteSetting(ref frame, Http2Setting.EnablePush, 0);
        }
        WriteSetting(ref frame, Http2Setting.HeaderTableSize, Settings.HpackTableSize);
        WriteSetting(ref frame, Http2Setting.EnableConnectProtocol, Settings.AllowConnect ? 1u : 0);
        WriteSetting(ref frame, Http2Setting.MaxConcurrentStreams, Settings.MaxConcurrentStreams);
        WriteSetting(ref frame, Http2Setting.InitialWindowSize, Settings.InitialStreamWindowSize);
        EndFrame(count * 6, false, false);
        if (Settings.InitialConnectionWindowSize > Http2Protocol.DefaultWindow)
        {
            QueueWindowUpdate(0, Settings.InitialConnectionWindowSize - Http2Protocol.DefaultWindow);
        }
    }

    private static void WriteSetting(ref Span<byte> frame, ushort setting, uint value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(frame, setting);
        BinaryPrimitives.WriteUInt32BigEndian(frame[2..], value);
        frame = frame[6..];
    }

    private void QueueSettingsAck()
    {
        BeginFrame(0, Http2FrameType.Settings, Http2Protocol.Ack, 0);
        EndFrame(0, false, true);
    }

    private void QueuePing(ReadOnlySpan<byte> payload, bool ack)
    {
        payload.CopyTo(BeginFrame(8, Http2FrameType.Ping, ack ? Http2Protocol.Ack : (byte)0, 0));
        EndFrame(8, false, ack);
    }

    private void QueueWindowUpdate(uint id, long amount)
    {
        BinaryPrimitives.WriteUInt32BigEndian(BeginFrame(4, Http2FrameType.WindowUpdate, 0, id), (uint)amount);
        EndFrame(4, false, false);
    }

    private void QueueGoAway(uint lastStream, Http2ErrorCode code)
    {
        Stats.Inc(Http2Stats.Stat.GoAwaySent);
        var frame = BeginFrame(8, Http2FrameType.GoAway, 0, 0);
        BinaryPrimitives.WriteUInt32BigEndian(frame, lastStream);
        BinaryPrimitives.WriteUInt32BigEndian(frame[4..], (uint)code);
        EndFrame(8, false, false);
    }

    // Reserves a frame of at most that many content bytes and writes its header; the content's space is returned.
    private Span<byte> BeginFrame(int length, Http2FrameType type, byte flags, uint id)
    {
        var reserve = type == Http2FrameType.Data ? 0 : length;
        var space = _output.Reserve(Http2Protocol.FrameHeaderLength + reserve);
        BinaryPrimitives.WriteUInt32BigEndian(space, ((uint)length << 8) | (byte)type);
        space[4] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(space[5..], id);
        return space[Http2Protocol.FrameHeaderLength..];
    }

    // Nothing of the reserved frame is committed yet, so the same space is reserved again.
    private void PatchHeader(int length, byte flags)
    {
        var space = _output.Reserve(Http2Protocol.FrameHeaderLength);
        BinaryPrimitives.WriteUInt32BigEndian(space, ((uint)length << 8) | (byte)Http2FrameType.Headers);
        space[4] = flags;
    }

    private void EndFrame(int length, bool isData, bool isControl)
    {
        _output.Commit(Http2Protocol.FrameHeaderLength + length);
        _error ??= _guard.OnQueued(isData, isControl);
    }

    // While bytes are dispatched the frames they lead to are gathered.
    private void Flush()
    {
        if (_dispatching || _output.IsEmpty)
        {
            return;
        }
        if (Connection.State == ConnectionState.Closed)
        {
            _output.Clear();
            return;
        }
        _guard.OnWrite(_output.Length, Connection.UnsentBytes);
        Connection.Write(_output, false);
    }
}
