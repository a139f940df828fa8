namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>The query of a path and its percent-decoding (RFC 3986 2.1); malformed escapes stay as they are.</summary>
internal static class QueryText
{
    /// <summary>What follows the first `?`, up to a fragment.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> path)
    {
        var start = path.IndexOf((byte)'?');
        if (start < 0)
        {
            return default;
        }
        var query = path[(start + 1)..];
        var fragment = query.IndexOf((byte)'#');
        return fragment < 0 ? query : query[..fragment];
    }

    public static void WriteDecoded(ReadOnlySpan<byte> text, ByteWriter output)
    {
        for (var i = 0; i < text.Length; i++)
        {
            output.Write(Next(text, ref i));
        }
    }

    public static bool EqualsDecoded(ReadOnlySpan<byte> text, string name)
    {
        var place = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (place == name.Length || Next(text, ref i) != name[place++])
            {
                return false;
            }
        }
        return place == name.Length;
    }

    private static byte Next(ReadOnlySpan<byte> text, ref int i)
    {
        if (text[i] == '%' && i + 2 < text.Length && Hex(text[i + 1]) is var high and >= 0 && Hex(text[i + 2]) is var low and >= 0)
        {
            i += 2;
            return (byte)((high << 4) | low);
        }
        return text[i];
    }

    private static int Hex(byte digit) =>
        digit switch
        {
            >= (byte)'0' and <= (byte)'9' => digit - '0',
            >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
            _ => -1,
        };
}
