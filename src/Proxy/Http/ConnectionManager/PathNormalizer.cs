namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Path normalisation (http-semantics 9). Works on the path before `?`; the query is left as it is.</summary>
internal static class PathNormalizer
{
    public enum Result
    {
        Continue,
        Reject,
        Redirect,
    }

    /// <summary>Decodes %2F and %5C; true when there were any.</summary>
    public static bool UnescapeSlashes(HeaderMap headers)
    {
        var (path, query) = Split(headers);
        if (path.IndexOf((byte)'%') < 0)
        {
            return false;
        }
        Span<byte> output = Buffer(path.Length + query.Length, stackalloc byte[1024]);
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            if (EscapedSlash(path[i..]) is var slash and > 0)
            {
                output[length++] = (byte)slash;
                i += 2;
            }
            else
            {
                output[length++] = path[i];
            }
        }
        if (length == path.Length)
        {
            return false;
        }
        SetPath(headers, output, length, query);
        return true;
    }

    public static bool HasEscapedSlashes(HeaderMap headers)
    {
        var path = Split(headers).Path;
        for (var i = path.IndexOf((byte)'%'); i >= 0; i = Next(path, i))
        {
            if (EscapedSlash(path[i..]) > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>RFC 3986 6.2.2 as browsers do it: dot segments, backslashes, escapes of unreserved bytes. False: refuse the request.</summary>
    public static bool Canonicalize(HeaderMap headers)
    {
        var (path, query) = Split(headers);
        if (IsCanonical(path))
        {
            return true;
        }
        // A byte grows at most to its escape.
        Span<byte> escaped = Buffer(path.Length * 3, stackalloc byte[1536]);
        var length = Escape(path, escaped);
        if (length < 0)
        {
            return false;
        }
        Span<byte> output = Buffer(length + query.Length + 1, stackalloc byte[2048]);
        var end = RemoveDotSegments(escaped[..length], output);
        SetPath(headers, output, end, query);
        return true;
    }

    public static void MergeSlashes(HeaderMap headers)
    {
        var (path, query) = Split(headers);
        if (path.IndexOf("//"u8) < 0)
        {
            return;
        }
        Span<byte> output = Buffer(path.Length + query.Length, stackalloc byte[1024]);
        var length = 0;
        foreach (var c in path)
        {
            if (c != '/' || length == 0 || output[length - 1] != '/')
            {
                output[length++] = c;
            }
        }
        if (length == 1)
        {
            // A path of slashes only is taken apart into one empty segment between two.
            output[length++] = (byte)'/';
        }
        SetPath(headers, output, length, query);
    }

    private static int Next(ReadOnlySpan<byte> path, int from)
    {
        var next = path[(from + 1)..].IndexOf((byte)'%');
        return next < 0 ? -1 : from + 1 + next;
    }

    private static int EscapedSlash(ReadOnlySpan<byte> text)
    {
        if (text.Length < 3 || text[0] != '%')
        {
            return 0;
        }
        return (text[1], text[2] | 0x20) switch
        {
            ((byte)'2', 'f') => '/',
            ((byte)'5', 'c') => '\\',
            _ => 0,
        };
    }

    private static bool IsCanonical(ReadOnlySpan<byte> path) =>
        path.IndexOfAny("%\\\"<>^{}|`"u8) < 0 && path.IndexOf("/."u8) < 0;

    // Returns the length written, or -1 for %00.
    private static int Escape(ReadOnlySpan<byte> path, Span<byte> output)
    {
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%' && i + 2 < path.Length && Hex(path[i + 1]) is var high and >= 0 && Hex(path[i + 2]) is var low and >= 0)
            {
                var decoded = (byte)((high << 4) | low);
                if (decoded == 0)
                {
                    return -1;
                }
                if (IsUnreserved(decoded))
                {
                    output[length++] = decoded;
                }
                else
                {
                    path.Slice(i, 3).CopyTo(output[length..]);
                    length += 3;
                }
                i += 2;
            }
            else if (c == '\\')
            {
                output[length++] = (byte)'/';
            }
            else if (c <= 0x20 || c >= 0x7F || "\"<>^{}|`"u8.Contains(c))
            {
                output[length++] = (byte)'%';
                output[length++] = "0123456789ABCDEF"u8[c >> 4];
                output[length++] = "0123456789ABCDEF"u8[c & 15];
            }
            else
            {
                output[length++] = c;
            }
        }
        return length;
    }

    private static int RemoveDotSegments(ReadOnlySpan<byte> path, Span<byte> output)
    {
        var length = 0;
        var rest = path;
        while (!rest.IsEmpty)
        {
            // Every segment begins with its slash.
            var next = rest[1..].IndexOf((byte)'/');
            var segment = next < 0 ? rest : rest[..(next + 1)];
            rest = next < 0 ? default : rest[(next + 1)..];
            var name = segment[1..];
            if (name.SequenceEqual("."u8))
            {
                if (rest.IsEmpty)
                {
                    output[length++] = (byte)'/';
                }
            }
            else if (name.SequenceEqual(".."u8))
            {
                length = Math.Max(0, output[..length].LastIndexOf((byte)'/'));
                if (rest.IsEmpty)
                {
                    output[length++] = (byte)'/';
                }
            }
            else
            {
                segment.CopyTo(output[length..]);
                length += segment.Length;
            }
        }
        if (length == 0)
        {
            output[length++] = (byte)'/';
        }
        return length;
    }

    private static bool IsUnreserved(byte c) => char.IsAsciiLetterOrDigit((char)c) || "-._~"u8.Contains(c);

    private static int Hex(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };

    private static PathParts Split(HeaderMap headers)
    {
        var path = headers.Get(KnownHeader.Path);
        var query = path.IndexOf((byte)'?');
        return query < 0 ? new PathParts(path, default) : new PathParts(path[..query], path[query..]);
    }

    private static void SetPath(HeaderMap headers, Span<byte> output, int length, ReadOnlySpan<byte> query)
    {
        query.CopyTo(output[length..]);
        headers.Set(KnownHeader.Path, output[..(length + query.Length)]);
    }

    private static Span<byte> Buffer(int length, Span<byte> stack) => length <= stack.Length ? stack : new byte[length];

    private readonly ref struct PathParts(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        public ReadOnlySpan<byte> Path { get; } = path;

        public ReadOnlySpan<byte> Query { get; } = query;

        public void Deconstruct(out ReadOnlySpan<byte> path, out ReadOnlySpan<byte> query)
        {
            path = Path;
            query = Query;
        }
    }
}
