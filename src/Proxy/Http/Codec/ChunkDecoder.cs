using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// Takes the chunked coding off a body (RFC 9112 7.1), byte by byte where it must, with the verdicts of Envoy's Balsa
/// parser: strict about sizes and the end of size lines, lenient about what stands between a chunk's data and its line end.
/// The trailer section is left to the caller.
/// </summary>
internal struct ChunkDecoder
{
    private State _state;
    private ulong _remaining;
    private bool _sawReturn;

    private enum State
    {
        SizeStart,
        Size,
        Extension,
        Data,
        DataEnd,
        Finished,
    }

    /// <summary>True once the last chunk's line was read: the trailer section follows.</summary>
    public readonly bool Finished => _state == State.Finished;

    public void Reset()
    {
        _state = State.SizeStart;
        _remaining = 0;
        _sawReturn = false;
    }

    /// <summary>Moves body bytes from <paramref name="input"/> to <paramref name="body"/> and drains the framing; false on bad framing.</summary>
    public bool Decode(ByteBuffer input, ByteBuffer body)
    {
        while (!input.IsEmpty && _state != State.Finished)
        {
            if (_state == State.Data)
            {
                var count = (long)Math.Min((ulong)input.Length, _remaining);
                body.MoveFrom(input, count);
                _remaining -= (ulong)count;
                if (_remaining == 0)
                {
                    _state = State.DataEnd;
                }
                continue;
            }
            if (!DecodeFraming(input.FirstSpan, out var consumed))
            {
                return false;
            }
            input.Drain(consumed);
        }
        return true;
    }

    private bool DecodeFraming(ReadOnlySpan<byte> bytes, out int consumed)
    {
        for (consumed = 0; consumed < bytes.Length; consumed++)
        {
            var c = bytes[consumed];
            switch (_state)
            {
                case State.SizeStart:
                case State.Size:
                    if (!DecodeSize(c))
                    {
                        return false;
                    }
                    break;
                case State.Extension:
                    if (_sawReturn != (c == '\n'))
                    {
                        return false;
                    }
                    if (c == '\n')
                    {
                        _sawReturn = false;
                        consumed++;
                        _state = _remaining == 0 ? State.Finished : State.Data;
                        return true;
                    }
                    _sawReturn = c == '\r';
                    break;
                case State.DataEnd:
                    var end = bytes[consumed..].IndexOf((byte)'\n');
                    if (end < 0)
                    {
                        consumed = bytes.Length;
                        return true;
                    }
                    consumed += end;
                    _state = State.SizeStart;
                    break;
                default:
                    return true;
            }
        }
        return true;
    }

    private bool DecodeSize(byte c)
    {
        if (char.IsAsciiHexDigit((char)c))
        {
            if (_remaining >> 60 != 0)
            {
                return false;
            }
            _remaining = (_remaining << 4) | (uint)HexValue(c);
            _state = State.Size;
            return true;
        }
        if (_state == State.SizeStart || c is not ((byte)';' or (byte)' ' or (byte)'\t' or (byte)'\r'))
        {
            return false;
        }
        _sawReturn = c == '\r';
        _state = State.Extension;
        return true;
    }

    private static int HexValue(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
