using System.Buffers.Binary;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Cuts a gRPC stream's body into messages (length-prefixed, PROTOCOL-HTTP2.md); compression was not offered and is refused.</summary>
internal sealed class GrpcFrameDecoder
{
    /// <summary>One byte of flags, four of length.</summary>
    public const int HeaderLength = 5;

    private readonly ByteBuffer _pending = new();

    public void Append(ByteBuffer data) => _pending.MoveFrom(data);

    /// <summary>The next whole message; false when more bytes are needed.</summary>
    /// <exception cref="InvalidDataException">What came is not gRPC.</exception>
    public bool TryRead(out byte[] message)
    {
        message = [];
        if (_pending.Length < HeaderLength)
        {
            return false;
        }
        var header = _pending.Linearize(HeaderLength);
        if (header[0] != 0)
        {
            throw new InvalidDataException("a gRPC message is marked as compressed, which was not offered");
        }
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > int.MaxValue - HeaderLength)
        {
            throw new InvalidDataException("a gRPC message is larger than can be held");
        }
        if (_pending.Length < HeaderLength + length)
        {
            return false;
        }
        _pending.Drain(HeaderLength);
        message = new byte[length];
        _pending.CopyTo(message);
        _pending.Drain(length);
        return true;
    }

    public static void Write(ByteBuffer buffer, ReadOnlySpan<byte> message)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        header[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)message.Length);
        buffer.Append(header);
        buffer.Append(message);
    }
}
