using System.Buffers;
using System.Text;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// Parses heads and trailer sections of HTTP/1, requests and responses alike, with the verdicts of Envoy's Balsa parser:
/// lenient in line ends, folds and blanks, strict in all that frames a message. The bytes are copied once into the header
/// map's store and cut into entries there.
/// </summary>
internal sealed class Http1HeadParser(Http1Settings settings, CodecLimits limits, Http1Stats stats, bool isServer)
{
    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // Controls but tab, CR and LF, and DEL: nowhere in a head.
    private static readonly SearchValues<byte> InvalidBytes = SearchValues.Create(
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127,
    ]);

    private enum Outcome
    {
        Done,
        NeedsUnfolding,
        Refused,
    }

    /// <summary>Length of the head (or trailer section) at the start of <paramref name="data"/> with the empty line that ends it; -1 when it is not all there.</summary>
    /// <param name="from">Where an earlier search on the same, then shorter, data ended.</param>
    public static int FindEnd(ReadOnlySpan<byte> data, int from)
    {
        from = Math.Max(0, from - 2);
        var strict = data[from..].IndexOf("\n\r\n"u8);
        var end = strict < 0 ? data.Length : from + strict + 3;
        var bare = data[from..end].IndexOf("\n\n"u8);
        return bare >= 0 ? from + bare + 2 : strict >= 0 ? end : -1;
    }

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    /// <summary>Parses a whole head; null if accepted, else the details of the refusal.</summary>
    public string? ParseHead(ReadOnlySpan<byte> raw, HeaderMap map, ref Http1Head head)
    {
        if (raw.ContainsAny(InvalidBytes))
        {
            return CodecDetails.Http1InvalidCharacters;
        }
        return Parse(raw, map, ref head, false);
    }

    /// <summary>Judges a start line while the rest of its head is still missing; null if it may stand.</summary>
    public string? CheckStartLine(ReadOnlySpan<byte> line)
    {
        Http1Head head = default;
        return line.ContainsAny(InvalidBytes) ? CodecDetails.Http1InvalidCharacters
            : ParseFirstLine(line, ref head) ? null : CodecDetails.Http1CodecError;
    }

    /// <summary>Parses a trailer section (header lines and the empty line); null if accepted.</summary>
    public string? ParseTrailers(ReadOnlySpan<byte> raw, HeaderMap map)
    {
        if (raw.ContainsAny(InvalidBytes))
        {
            return CodecDetails.Http1InvalidCharacters;
        }
        Http1Head unused = default;
        return Parse(raw, map, ref unused, true);
    }

    private string? Parse(ReadOnlySpan<byte> raw, HeaderMap map, ref Http1Head head, bool trailers)
    {
        var formatter = settings.HeaderCase == HeaderCase.Preserve ? new PreserveCaseFormatter(settings) : null;
        var outcome = TryParse(raw, map, ref head, trailers, formatter, out var refusal);
        if (outcome == Outcome.NeedsUnfolding)
        {
            map.Clear();
            head = default;
            outcome = TryParse(Unfold(raw, trailers), map, ref head, trailers, formatter, out refusal);
        }
        map.Formatter = formatter;
        return outcome == Outcome.Done ? null : refusal ?? CodecDetails.Http1CodecError;
    }

    private Outcome TryParse(
        ReadOnlySpan<byte> raw, HeaderMap map, ref Http1Head head, bool trailers, PreserveCaseFormatter? formatter,
        out string? refusal)
    {
        refusal = null;
        var store = map.StoreRaw(raw, out var storeStart);
        var position = 0;
        if (!trailers)
        {
            position = store.IndexOf((byte)'\n') + 1;
            if (!ParseFirstLine(store[..(position - 1)], ref head))
            {
                return Outcome.Refused;
            }
            formatter?.RememberReasonPhrase(head.ReasonPhrase);
        }
        var carriageReturns = trailers ? 0 : store[..position].Count((byte)'\r');
        var first = true;
        string? lateRefusal = null;
        while (true)
        {
            var length = store[position..].IndexOf((byte)'\n');
            if (length < 0)
            {
                return Outcome.Refused;
            }
            var line = store.Slice(position, length);
            while (!line.IsEmpty && line[^1] == '\r')
            {
                line = line[..^1];
                carriageReturns++;
            }
            if (line.IsEmpty)
            {
                if (position + length + 1 != store.Length || length > 1)
                {
                    return Outcome.Refused;
                }
                break;
            }
            if (line[0] is (byte)' ' or (byte)'\t')
            {
                return first ? Outcome.Refused : Outcome.NeedsUnfolding;
            }
            if (!ParseLine(line, storeStart + position, map, ref head, trailers, formatter, ref lateRefusal))
            {
                return Outcome.Refused;
            }
            first = false;
            position += length + 1;
        }
        if (carriageReturns != store.Count((byte)'\r'))
        {
            return Outcome.NeedsUnfolding;
        }
        refusal = lateRefusal;
        return lateRefusal is null ? Outcome.Done : Outcome.Refused;
    }

    private bool ParseLine(
        Span<byte> line, int start, HeaderMap map, ref Http1Head head, bool trailers, PreserveCaseFormatter? formatter,
        ref string? lateRefusal)
    {
        var colon = line.IndexOfAnyExcept(TokenBytes);
        if (colon <= 0 || line[colon] != ':')
        {
            return false;
        }
        var name = line[..colon];
        var valueStart = colon + 1;
        var valueEnd = line.Length;
        while (valueStart < valueEnd && line[valueStart] is (byte)' ' or (byte)'\t')
        {
            valueStart++;
        }
        while (valueEnd > valueStart && line[valueEnd - 1] is (byte)' ' or (byte)'\t')
        {
            valueEnd--;
        }
        var known = KnownHeaders.Find(name);
        if (known == KnownHeader.None)
        {
            if (isServer && limits.Underscores != UnderscoresAction.Allow && name.Contains((byte)'_')
                && !AdmitUnderscore(ref lateRefusal))
            {
                return true;
            }
            formatter?.Remember(name);
            Ascii.ToLowerInPlace(name, out _);
        }
        else
        {
            formatter?.Remember(name);
            if (!trailers && !NoteFraming(ref known, line[valueStart..valueEnd], ref head))
            {
                return false;
            }
        }
        map.AddStored(known, start, colon, start + valueStart, valueEnd - valueStart);
        if (lateRefusal is null)
        {
            CheckLimits(map, head.Target.Length, trailers, ref lateRefusal);
        }
        return true;
    }

    // False if the line is to be left out.
    private bool AdmitUnderscore(ref string? lateRefusal)
    {
        if (limits.Underscores == UnderscoresAction.DropHeader)
        {
            stats.DroppedHeaderWithUnderscore();
            return false;
        }
        stats.RejectedForUnderscore();
        lateRefusal ??= CodecDetails.Http1UnexpectedUnderscore;
        return true;
    }

    private bool NoteFraming(ref KnownHeader known, ReadOnlySpan<byte> value, ref Http1Head head)
    {
        switch (known)
        {
            case KnownHeader.ContentLength:
                if (head.HasContentLength || !TryParseLength(value, out head.ContentLength))
                {
                    return false;
                }
                head.HasContentLength = true;
                break;
            case KnownHeader.TransferEncoding:
                head.HasTransferEncoding = true;
                break;
            case KnownHeader.Host when isServer:
                known = KnownHeader.Authority;
                break;
        }
        return true;
    }

    private void CheckLimits(HeaderMap map, int targetLength, bool trailers, ref string? lateRefusal)
    {
        if (map.ByteSize + targetLength > limits.MaxHeadersKb * 1024L)
        {
            lateRefusal = trailers ? CodecDetails.Http1TrailersTooLarge : CodecDetails.Http1HeadersTooLarge;
        }
        else if (map.Count > limits.MaxHeadersCount)
        {
            lateRefusal = trailers ? CodecDetails.Http1TooManyTrailers : CodecDetails.Http1TooManyHeaders;
        }
    }

    /// <summary>Digits only and no more than 64 bits (RFC 9110 8.6).</summary>
    public static bool TryParseLength(ReadOnlySpan<byte> text, out ulong length)
    {
        length = 0;
        foreach (var c in text)
        {
            var digit = (uint)(c - '0');
            if (digit > 9 || length > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }
            length = (length * 10) + digit;
        }
        return !text.IsEmpty;
    }

    private bool ParseFirstLine(ReadOnlySpan<byte> line, ref Http1Head head)
    {
        line = TrimBlanksEnd(line);
        return isServer ? ParseRequestLine(line, ref head) : ParseStatusLine(line, ref head);
    }

    private bool ParseRequestLine(ReadOnlySpan<byte> line, ref Http1Head head)
    {
        head.Method = NextWord(ref line);
        head.Target = NextWord(ref line);
        var version = line;
        var isConnect = head.Method.SequenceEqual("CONNECT"u8);
        if (!(settings.AllowCustomMethods ? IsToken(head.Method) : Http1Methods.IsKnown(head.Method))
            || !Http1Target.IsValid(head.Target, isConnect))
        {
            return false;
        }
        head.IsHttp11 = version.SequenceEqual("HTTP/1.1"u8);
        return head.IsHttp11 || version.IsEmpty || IsVersion(version);
    }

    private static bool ParseStatusLine(ReadOnlySpan<byte> line, ref Http1Head head)
    {
        var version = NextWord(ref line);
        var code = NextWord(ref line);
        if (!IsVersion(version) || code.Length != 3 || !TryParseLength(code, out var status) || status < 100)
        {
            return false;
        }
        head.IsHttp11 = version.SequenceEqual("HTTP/1.1"u8);
        head.StatusCode = (int)status;
        head.ReasonPhrase = line;
        return true;
    }

    private static bool IsVersion(ReadOnlySpan<byte> version) =>
        version.Length == 8 && version.StartsWith("HTTP/"u8) && version[6] == '.'
        && version[5] is >= (byte)'0' and <= (byte)'9' && version[7] is >= (byte)'0' and <= (byte)'9';

    // Words are parted by any number of blanks and tabs.
    private static ReadOnlySpan<byte> NextWord(scoped ref ReadOnlySpan<byte> line)
    {
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        if (end < 0)
        {
            var all = line;
            line = default;
            return all;
        }
        var word = line[..end];
        line = line[end..].TrimStart(" \t"u8);
        return word;
    }

    private static ReadOnlySpan<byte> TrimBlanksEnd(ReadOnlySpan<byte> line) => line.TrimEnd(" \t\r"u8);

    // Joins folded lines to the line before (their blank kept) and drops CRs inside values, as Envoy does.
    private static byte[] Unfold(ReadOnlySpan<byte> raw, bool trailers)
    {
        var result = new byte[raw.Length];
        var written = 0;
        var index = trailers ? 1 : 0;
        while (!raw.IsEmpty)
        {
            var end = raw.IndexOf((byte)'\n') + 1;
            end = end == 0 ? raw.Length : end;
            var line = raw[..end];
            raw = raw[end..];
            if (index > 1 && line[0] is (byte)' ' or (byte)'\t')
            {
                while (written > 0 && result[written - 1] is (byte)'\r' or (byte)'\n')
                {
                    written--;
                }
                written += CopyWithoutLoneReturns(line, 0, result.AsSpan(written));
            }
            else
            {
                var valueStart = index == 0 ? line.Length : line.IndexOf((byte)':') + 1;
                written += CopyWithoutLoneReturns(line, valueStart == 0 ? line.Length : valueStart, result.AsSpan(written));
            }
            index++;
        }
        return result[..written];
    }

    private static int CopyWithoutLoneReturns(ReadOnlySpan<byte> line, int from, Span<byte> destination)
    {
        var written = 0;
        for (var i = 0; i < line.Length; i++)
        {
            if (i < from || line[i] != '\r' || i == line.Length - 2)
            {
                destination[written++] = line[i];
            }
        }
        return written;
    }
}
