using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>How a body is delimited on the wire.</summary>
internal enum BodyFraming
{
    /// <summary>By what the headers already say, or not at all (until the connection's end, or no body).</summary>
    AsIs,

    /// <summary>`content-length: 0` is added.</summary>
    Empty,

    /// <summary>`transfer-encoding: chunked` is added.</summary>
    Chunked,
}

/// <summary>Formats heads of HTTP/1 into one contiguous run of an output buffer.</summary>
internal static class Http1HeadWriter
{
    private const int PerLine = 4;

    /// <summary>Room for what is added to the map's own lines: framing line, host name and the final line end.</summary>
    private const int Extra = 64;

    /// <summary>Writes the start line (already with its line end), all headers, the framing line and the empty line.</summary>
    public static void Write(
        ByteBuffer output, scoped ReadOnlySpan<byte> startLine, HeaderMap headers, HeaderKeyFormatter? formatter, BodyFraming framing)
    {
        var space = output.Reserve(startLine.Length + (int)headers.ByteSize + (headers.Count * PerLine) + Extra);
        startLine.CopyTo(space);
        var written = startLine.Length;
        written += WriteLines(space[written..], headers, formatter, false);
        if (framing == BodyFraming.Empty)
        {
            written += WriteLine(space[written..], "content-length"u8, "0"u8, formatter);
        }
        else if (framing == BodyFraming.Chunked)
        {
            written += WriteLine(space[written..], "transfer-encoding"u8, "chunked"u8, formatter);
        }
        "\r\n"u8.CopyTo(space[written..]);
        output.Commit(written + 2);
    }

    public static void WriteTrailers(ByteBuffer output, HeaderMap trailers, HeaderKeyFormatter? formatter)
    {
        var space = output.Reserve((int)trailers.ByteSize + (trailers.Count * PerLine) + Extra);
        var written = WriteLines(space, trailers, formatter, true);
        "\r\n"u8.CopyTo(space[written..]);
        output.Commit(written + 2);
    }

    private static int WriteLines(Span<byte> space, HeaderMap headers, HeaderKeyFormatter? formatter, bool trailers)
    {
        // The host goes first (RFC 9110 7.2), wherever the map holds it.
        var written = !trailers && headers.TryGet(KnownHeader.Authority, out var host)
            ? WriteLine(space, "host"u8, host, formatter)
            : 0;
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var known = headers.Known(i);
            if (known == KnownHeader.TransferEncoding && !trailers)
            {
                continue;
            }
            var name = headers.Name(i);
            if (name.Length > 0 && name[0] == ':')
            {
                continue;
            }
            written += WriteLine(space[written..], name, headers.Value(i), formatter);
        }
        return written;
    }

    private static int WriteLine(
        Span<byte> space, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderKeyFormatter? formatter)
    {
        if (formatter is null)
        {
            name.CopyTo(space);
        }
        else
        {
            formatter.Format(name, space);
        }
        var written = name.Length;
        space[written++] = (byte)':';
        space[written++] = (byte)' ';
        var target = space.Slice(written, value.Length);
        value.CopyTo(target);
        if (target.ContainsAny((byte)'\r', (byte)'\n', (byte)'\0'))
        {
            Neutralise(target);
        }
        written += value.Length;
        space[written++] = (byte)'\r';
        space[written++] = (byte)'\n';
        return written;
    }

    // A value set by configuration or a filter must not be able to begin a new line (response splitting).
    private static void Neutralise(Span<byte> value)
    {
        foreach (ref var c in value)
        {
            c = c is (byte)'\r' or (byte)'\n' or (byte)'\0' ? (byte)' ' : c;
        }
    }
}
