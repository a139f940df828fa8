namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>
/// The Huffman code of RFC 7541 appendix B. The code is canonical, so the lengths of the 257 symbols give it whole.
/// </summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;
    private const int LongestCode = 30;

    /// <summary>Bits looked up at once when decoding: all symbols common in headers have codes this short.</summary>
    private const int FastBits = 10;

    private static readonly byte[] Lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static readonly uint[] Codes = new uint[257];

    // Symbol in the low byte, length of its code above; 0 where the code is longer than FastBits.
    private static readonly ushort[] Fast = new ushort[1 << FastBits];

    // Per length: the first code, left-aligned to 32 bits, and where its symbols begin in SymbolsByCode.
    private static readonly ulong[] FirstCode = new ulong[LongestCode + 2];
    private static readonly int[] FirstSymbol = new int[LongestCode + 2];
    private static readonly ushort[] SymbolsByCode = new ushort[257];

    static HuffmanCode()
    {
        var code = 0u;
        var index = 0;
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            FirstCode[length] = (ulong)code << (32 - length);
            FirstSymbol[length] = index;
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] == length)
                {
                    SymbolsByCode[index++] = (ushort)symbol;
                    AddToFast(symbol, length, code);
                    Codes[symbol] = code++;
                }
            }
        }
        FirstCode[LongestCode + 1] = 1UL << 32;
    }

    private static void AddToFast(int symbol, int length, uint code)
    {
        if (length <= FastBits)
        {
            var first = (int)(code << (FastBits - length));
            Fast.AsSpan(first, 1 << (FastBits - length)).Fill((ushort)((length << 8) | symbol));
        }
    }

    /// <summary>Bytes the text takes when encoded.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var bits = 0;
        foreach (var c in text)
        {
            bits += Lengths[c];
        }
        return (bits + 7) >> 3;
    }

    /// <summary>Encodes; the destination holds at least <see cref="EncodedLength"/> bytes. How many were written.</summary>
    public static int Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var bits = 0UL;
        var count = 0;
        var written = 0;
        foreach (var c in text)
        {
            bits = (bits << Lengths[c]) | Codes[c];
            count += Lengths[c];
            while (count >= 8)
            {
                count -= 8;
                destination[written++] = (byte)(bits >> count);
            }
        }
        if (count > 0)
        {
            // The rest of the last byte is the start of the end-of-string code, all ones.
            destination[written++] = (byte)((bits << (8 - count)) | (0xFFu >> count));
        }
        return written;
    }

    /// <summary>Longest text that many encoded bytes can stand for: no code is shorter than 5 bits.</summary>
    public static int MaxDecodedLength(int encoded) => (encoded * 8 / 5) + 1;

    /// <summary>Decodes; -1 if the bytes are no valid code (RFC 7541 5.2), else the length of the text.</summary>
    public static int Decode(ReadOnlySpan<byte> encoded, Span<byte> destination)
    {
        var window = 0UL;
        var count = 0;
        var read = 0;
        var written = 0;
        while (true)
        {
            while (count <= 56 && read < encoded.Length)
            {
                window |= (ulong)encoded[read++] << (56 - count);
                count += 8;
            }
            if (count == 0)
            {
                return written;
            }
            var entry = Fast[window >> (64 - FastBits)];
            var symbol = entry & 0xFF;
            var length = entry >> 8;
            if (length == 0)
            {
                symbol = DecodeLong((uint)(window >> 32), out length);
            }
            if (length > count)
            {
                // What is left must be padding: fewer than 8 bits, all ones.
                return count < 8 && window >> (64 - count) == (1UL << count) - 1 ? written : -1;
            }
            if (symbol == EndOfString)
            {
                return -1;
            }
            destination[written++] = (byte)symbol;
            window <<= length;
            count -= length;
        }
    }

    private static int DecodeLong(uint bits, out int length)
    {
        length = FastBits + 1;
        while (length < LongestCode && bits >= FirstCode[length + 1])
        {
            length++;
        }
        var offset = (bits - FirstCode[length]) >> (32 - length);
        return SymbolsByCode[FirstSymbol[length] + (int)offset];
    }
}
