using System.Buffers.Binary;
using System.Text;

namespace MeshProxy.Agent.Dns;

/// <summary>The first question of a DNS message (RFC 1035 section 4), as far as it has to be understood here.</summary>
internal readonly record struct DnsQuestion
{
    public const int HeaderLength = 12;
    public const int TypeA = 1;
    public const int TypeCname = 5;
    public const int TypeAaaa = 28;
    public const int ClassInternet = 1;

    // Without EDNS an answer over UDP has at most this many bytes (RFC 1035 section 4.2.1).
    private const int PlainSize = 512;
    private const int TypeOpt = 41;
    private const int LongestName = 255;

    /// <summary>The name in lower case, with its last dot.</summary>
    public required string Name { get; init; }

    public required int Type { get; init; }

    public required int Class { get; init; }

    /// <summary>Where the question ends in its message.</summary>
    public required int End { get; init; }

    /// <summary>The largest answer that is taken over UDP.</summary>
    public required int LargestAnswer { get; init; }

    /// <summary>Reads the question, or gives null when there is none or it is malformed.</summary>
    public static DnsQuestion? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 0)
            return null;
        var position = HeaderLength;
        if (ReadName(message, ref position) is not { } name || position + 4 > message.Length)
            return null;
        return new DnsQuestion
        {
            Name = name,
            Type = BinaryPrimitives.ReadUInt16BigEndian(message[position..]),
            Class = BinaryPrimitives.ReadUInt16BigEndian(message[(position + 2)..]),
            End = position + 4,
            LargestAnswer = Math.Max(PlainSize, SizeOf(message, position + 4)),
        };
    }

    // Names of questions are not compressed: nothing stands before them to point to.
    private static string? ReadName(ReadOnlySpan<byte> message, ref int position)
    {
        var name = new StringBuilder();
        while (position < message.Length && message[position] is > 0 and < 64 and var length)
        {
            if (position + 1 + length > message.Length || name.Length + length > LongestName)
                return null;
            name.Append(Encoding.Latin1.GetString(message.Slice(position + 1, length)).ToLowerInvariant()).Append('.');
            position += 1 + length;
        }
        if (position >= message.Length || message[position] != 0)
            return null;
        position++;
        return name.Length == 0 ? "." : name.ToString();
    }

    // The size in an OPT record (RFC 6891 section 6.1.2), which in a question stands first and alone behind it.
    private static int SizeOf(ReadOnlySpan<byte> message, int position) =>
        position + 5 <= message.Length && message[position] == 0
            && BinaryPrimitives.ReadUInt16BigEndian(message[(position + 1)..]) == TypeOpt
            ? BinaryPrimitives.ReadUInt16BigEndian(message[(position + 3)..])
            : 0;
}
