using System.Buffers.Binary;
using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// One string object for short text that comes again and again: ten thousand clusters name the same sockets, keys and
/// namespaces. A fixed table that forgets, so unique names cost nothing for long. Threads may race: an entry is a whole
/// string or another whole string.
/// </summary>
internal static class TextCache
{
    /// <summary>Extension names are up to this long; longer text hardly repeats.</summary>
    private const int MaximumLength = 64;

    /// <summary>A power of two; at most 300 KiB of strings are held.</summary>
    private const int Entries = 2048;

    private static readonly string?[] Table = new string?[Entries];

    /// <summary>The text of UTF-8 bytes.</summary>
    /// <exception cref="DecoderFallbackException">They are not UTF-8.</exception>
    public static string GetString(ReadOnlySpan<byte> utf8, Encoding encoding)
    {
        if (utf8.Length > MaximumLength)
        {
            return encoding.GetString(utf8);
        }

        // Read once: another thread may put something else in between.
        ref var entry = ref Table[HashOf(utf8) & (Entries - 1)];
        if (entry is { } known && known.Length == utf8.Length && Ascii.Equals(utf8, known))
        {
            return known;
        }

        var text = encoding.GetString(utf8);
        entry = text;
        return text;
    }

    /// <summary>Of all bytes, eight at a time.</summary>
    private static uint HashOf(ReadOnlySpan<byte> utf8)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15; // 2^64 / golden ratio: spreads all bits into the high ones.
        var hash = (ulong)utf8.Length * Multiplier;
        for (; utf8.Length >= sizeof(ulong); utf8 = utf8[sizeof(ulong)..])
        {
            hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(utf8)) * Multiplier;
        }

        foreach (var b in utf8)
        {
            hash = (hash ^ b) * Multiplier;
        }

        return (uint)(hash >> 40);
    }
}
