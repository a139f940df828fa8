using System.Buffers;
using System.Buffers.Binary;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Grpc;

/// <summary>gRPC's framing of messages: a flag byte, four bytes of length, the message (gRPC over HTTP/2, "Length-Prefixed-Message").</summary>
public static class GrpcFrame
{
    /// <summary>Bytes before each message.</summary>
    public const int HeaderLength = 5;

    /// <summary>Takes the first whole message off a buffer.</summary>
    /// <param name="buffer">What was received; advanced past the message.</param>
    /// <param name="maximum">The longest message that is taken.</param>
    /// <param name="message">The message's bytes.</param>
    /// <returns>Whether there was a whole message.</returns>
    /// <exception cref="ProtobufException">The message is compressed or too long.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int maximum, out ReadOnlySequence<byte> message)
    {
        message = default;
        if (buffer.Length < HeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        if (header[0] != 0)
        {
            throw new ProtobufException("the gRPC message is compressed, which was not offered: send it with grpc-encoding identity");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > maximum)
        {
            throw new ProtobufException($"the gRPC message of {length} bytes is longer than the {maximum} that are taken");
        }

        if (buffer.Length < HeaderLength + length)
        {
            return false;
        }

        message = buffer.Slice(HeaderLength, length);
        buffer = buffer.Slice(HeaderLength + length);
        return true;
    }

    /// <summary>Writes a message, not compressed.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        var header = output.GetSpan(HeaderLength);
        header[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)message.Length);
        output.Advance(HeaderLength);
        output.Write(message);
    }
}
