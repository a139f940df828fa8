using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>The part of RFC 1035 a stub resolver needs: one question, addresses with aliases followed.</summary>
internal static class DnsMessage
{
    public const ushort TypeA = 1;
    public const ushort TypeAaaa = 28;
    private const ushort TypeCname = 5;
    private const ushort ClassIn = 1;
    private const int HeaderLength = 12;

    // RFC 1035 2.3.4 and 3.1: lengths of labels and names.
    private const int MaxLabel = 63;
    private const int MaxName = 255;

    // A name longer than this many pointers is a loop: no name has more labels.
    private const int MaxPointers = 128;

    /// <summary>Null when the name cannot be asked for.</summary>
    public static byte[]? BuildQuery(ushort id, string name, ushort type)
    {
        var output = new byte[HeaderLength + MaxName + 4];
        BinaryPrimitives.WriteUInt16BigEndian(output, id);
        output[2] = 1; // Recursion desired.
        output[5] = 1; // One question.
        var at = HeaderLength;
        foreach (var label in name.TrimEnd('.').Split('.'))
        {
            var length = Encoding.UTF8.GetByteCount(label);
            if (length is 0 or > MaxLabel || at + length + 2 > HeaderLength + MaxName)
            {
                return null;
            }
            output[at++] = (byte)length;
            at += Encoding.UTF8.GetBytes(label, output.AsSpan(at));
        }
        output[at++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(output.AsSpan(at), type);
        BinaryPrimitives.WriteUInt16BigEndian(output.AsSpan(at + 2), ClassIn);
        return output[..(at + 4)];
    }

    /// <summary>Reads a response to <paramref name="query"/>; null when it is not one, or malformed.</summary>
    public static DnsResponse? Parse(ReadOnlySpan<byte> message, ReadOnlySpan<byte> query)
    {
        if (message.Length < HeaderLength || !message[..2].SequenceEqual(query[..2]) || (message[2] & 0x80) == 0)
        {
            return null;
        }
        var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        var answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var question = query[HeaderLength..];
        // An answer to another question is not ours, whoever sent it (RFC 5452 9.1). Case may differ.
        if (questions != 1 || message.Length < HeaderLength + question.Length
            || !Ascii.EqualsIgnoreCase(message.Slice(HeaderLength, question.Length), question))
        {
            return null;
        }
        var addresses = new List<DnsAddress>();
        var at = HeaderLength + question.Length;
        var wanted = BinaryPrimitives.ReadUInt16BigEndian(question[^4..]);
        var ttl = uint.MaxValue;
        for (var i = 0; i < answers; i++)
        {
            if (!SkipName(message, ref at) || at + 10 > message.Length)
            {
                return null;
            }
            var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            var recordTtl = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            if (at + length > message.Length)
            {
                return null;
            }
            if (type == TypeCname)
            {
                ttl = Math.Min(ttl, recordTtl);
            }
            else if (type == wanted && length == (type == TypeA ? 4 : 16))
            {
                addresses.Add(new DnsAddress(new IPAddress(message.Slice(at, length)), TimeSpan.FromSeconds(Math.Min(ttl, recordTtl))));
            }
            at += length;
        }
        return new DnsResponse(message[3] & 0x0f, (message[2] & 0x02) != 0, addresses);
    }

    private static bool SkipName(ReadOnlySpan<byte> message, ref int at)
    {
        for (var i = 0; i < MaxPointers && at < message.Length; i++)
        {
            var length = message[at];
            if (length == 0)
            {
                at++;
                return true;
            }
            if ((length & 0xc0) == 0xc0)
            {
                at += 2;
                return at <= message.Length;
            }
            at += length + 1;
        }
        return false;
    }
}

/// <param name="Code">RCODE: 0 is no error, 3 no such name.</param>
/// <param name="Truncated">To be asked for again over TCP.</param>
internal sealed record DnsResponse(int Code, bool Truncated, IReadOnlyList<DnsAddress> Addresses);
