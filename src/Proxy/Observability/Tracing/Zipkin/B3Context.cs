using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>
/// B3 trace context (https://github.com/openzipkin/b3-propagation): one `b3` header, or several `x-b3-*`. A context without ids
/// only says whether to sample.
/// </summary>
/// <param name="Sampled">Null: the receiver decides.</param>
/// <param name="IsSingle">It came in the one header, and goes on in it.</param>
internal readonly record struct B3Context(
    ulong TraceHigh, ulong TraceLow, ulong Span, ulong Parent, bool? Sampled, bool IsSingle)
{
    private static readonly byte[] ParentHeader = "x-b3-parentspanid"u8.ToArray();
    private static readonly byte[] SampledHeader = "x-b3-sampled"u8.ToArray();

    /// <summary>`b3`: trace of up to 32, span and parent of 16 hexadecimal digits, a letter or digit for sampling, dashes.</summary>
    private const int MaxSingleLength = 32 + 1 + 16 + 1 + 1 + 1 + 16;

    public bool HasIds => (TraceHigh | TraceLow) != 0;

    /// <summary>The context a request brings; null when it brings none.</summary>
    /// <param name="valid">False when it brings one that is none.</param>
    public static B3Context? Read(HeaderMap headers, out bool valid)
    {
        if (headers.TryGet("b3"u8, out var single))
        {
            var context = ParseSingle(single);
            valid = context is not null;
            return context;
        }
        valid = true;
        bool? sampled = headers.TryGet(SampledHeader, out var flag) ? flag.SequenceEqual("1"u8) : null;
        if (!headers.TryGet(KnownHeader.XB3TraceId, out var trace) || !headers.TryGet(KnownHeader.XB3SpanId, out var span))
        {
            return sampled is null ? null : new B3Context(0, 0, 0, 0, sampled, false);
        }
        ulong parent = 0;
        if (!TryParseTrace(trace, out var high, out var low) || !TraceIds.TryParse(span, out var id)
            || (headers.TryGet(ParentHeader, out var given) && !given.IsEmpty && !TraceIds.TryParse(given, out parent)))
        {
            valid = false;
            return null;
        }
        return new B3Context(high, low, id, parent, sampled, false);
    }

    public void Write(HeaderMap headers)
    {
        var trace = TraceHigh == 0 ? TraceIds.Text(TraceLow) : TraceIds.Text(TraceHigh) + TraceIds.Text(TraceLow);
        var flag = Sampled == true ? "1" : "0";
        if (IsSingle)
        {
            var text = $"{trace}-{TraceIds.Text(Span)}-{flag}" + (Parent == 0 ? "" : "-" + TraceIds.Text(Parent));
            headers.Set("b3"u8, System.Text.Encoding.ASCII.GetBytes(text));
            return;
        }
        headers.Set(KnownHeader.XB3TraceId, trace);
        headers.Set(KnownHeader.XB3SpanId, TraceIds.Text(Span));
        if (Parent != 0)
        {
            headers.Set(ParentHeader, System.Text.Encoding.ASCII.GetBytes(TraceIds.Text(Parent)));
        }
        headers.Set(SampledHeader, Sampled == true ? "1"u8 : "0"u8);
    }

    private static B3Context? ParseSingle(ReadOnlySpan<byte> text)
    {
        if (text.Length == 1)
        {
            return SampledOf(text) is { } alone ? new B3Context(0, 0, 0, 0, alone, true) : null;
        }
        if (text.Length > MaxSingleLength)
        {
            return null;
        }
        if (!TryParseTrace(Next(ref text), out var high, out var low) || Next(ref text) is not { Length: 16 } id
            || !TraceIds.TryParse(id, out var span))
        {
            return null;
        }
        bool? sampled = null;
        if (!text.IsEmpty && (sampled = SampledOf(Next(ref text))) is null)
        {
            return null;
        }
        ulong parent = 0;
        if (!text.IsEmpty && !TraceIds.TryParse(text, out parent))
        {
            return null;
        }
        return new B3Context(high, low, span, parent, sampled, true);
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> text)
    {
        var dash = text.IndexOf((byte)'-');
        var part = dash < 0 ? text : text[..dash];
        text = dash < 0 ? default : text[(dash + 1)..];
        return part;
    }

    // `d` is debug: sampled, and asks others to sample too.
    private static bool? SampledOf(ReadOnlySpan<byte> text) =>
        text.Length != 1 ? null : text[0] switch { (byte)'1' or (byte)'d' => true, (byte)'0' => false, _ => null };

    private static bool TryParseTrace(ReadOnlySpan<byte> text, out ulong high, out ulong low)
    {
        high = 0;
        return text.Length == 32
            ? TraceIds.TryParse(text[..16], out high) & TraceIds.TryParse(text[16..], out low)
            : TraceIds.TryParse(text, out low);
    }
}
