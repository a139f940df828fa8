using System.Buffers.Binary;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>gRPC's length-prefixed messages (grpc doc/PROTOCOL-HTTP2.md): cuts bodies into messages and makes them.</summary>
public sealed class GrpcMessages(uint maxMessageBytes = 0)
{
    /// <summary>One byte of flags, four of length.</summary>
    public const int PrefixLength = 5;

    private readonly ByteBuffer _pending = new();

    public void Append(ByteBuffer data) => _pending.MoveFrom(data);

    /// <summary>Nothing of an unfinished message is held.</summary>
    public bool IsEmpty => _pending.IsEmpty;

    /// <summary>The next whole message; false when more bytes are needed.</summary>
    /// <exception cref="InvalidDataException">What came is no gRPC message, is compressed, or larger than allowed.</exception>
    public bool TryRead(out byte[] message)
    {
        message = [];
        if (_pending.Length < PrefixLength)
        {
            return false;
        }
        var prefix = _pending.Linearize(PrefixLength);
        if (prefix[0] != 0)
        {
            throw new InvalidDataException("a gRPC message is compressed, which was not offered");
        }
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > int.MaxValue || (maxMessageBytes > 0 && length > maxMessageBytes))
        {
            throw new InvalidDataException($"a gRPC message of {length} bytes is larger than allowed");
        }
        if (_pending.Length < PrefixLength + (long)length)
        {
            return false;
        }
        _pending.Drain(PrefixLength);
        message = new byte[length];
        _pending.CopyTo(message);
        _pending.Drain(length);
        return true;
    }

    public static void Write(ByteBuffer output, ReadOnlySpan<byte> message)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)message.Length);
        output.Append(prefix);
        output.Append(message);
    }
}
