using System.Globalization;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>W3C trace context (https://www.w3.org/TR/trace-context/, 3.2): `00-TRACE-SPAN-FLAGS`.</summary>
internal readonly record struct TraceContext(ulong TraceHigh, ulong TraceLow, ulong Span, bool Sampled, string State)
{
    private const int Length = 55;

    /// <summary>The context a request brings; null when it brings none.</summary>
    /// <param name="valid">False when it brings one that is none.</param>
    public static TraceContext? Read(HeaderMap headers, out bool valid)
    {
        valid = true;
        if (!headers.TryGet(KnownHeader.TraceParent, out var parent))
        {
            return null;
        }
        if (Parse(parent) is not { } context)
        {
            valid = false;
            return null;
        }
        return context with { State = headers.GetJoined("tracestate"u8) ?? "" };
    }

    /// <summary>Writes the header; what its version was before is of no matter: this is version 00.</summary>
    public void Write(HeaderMap headers)
    {
        Span<byte> text = stackalloc byte[Length];
        "00-"u8.CopyTo(text);
        TraceHigh.TryFormat(text[3..], out _, "x16", CultureInfo.InvariantCulture);
        TraceLow.TryFormat(text[19..], out _, "x16", CultureInfo.InvariantCulture);
        text[35] = (byte)'-';
        Span.TryFormat(text[36..], out _, "x16", CultureInfo.InvariantCulture);
        text[52] = (byte)'-';
        text[53] = (byte)'0';
        text[54] = (byte)(Sampled ? '1' : '0');
        headers.Set(KnownHeader.TraceParent, text);
    }

    private static TraceContext? Parse(ReadOnlySpan<byte> text)
    {
        if (text.Length != Length || text[2] != '-' || text[35] != '-' || text[52] != '-'
            || !TraceIds.TryParse(text[..2], out _) || !TraceIds.TryParse(text[3..19], out var high)
            || !TraceIds.TryParse(text[19..35], out var low) || !TraceIds.TryParse(text[36..52], out var span)
            || !TraceIds.TryParse(text[53..], out var flags))
        {
            return null;
        }
        return (high | low) == 0 || span == 0 ? null : new TraceContext(high, low, span, (flags & 1) != 0, "");
    }
}
