namespace MeshProxy.Proxy.Http.Codec;

/// <summary>`Content-Type`: the first letter and each one behind a character that is no letter or digit is a capital (proper_case_words).</summary>
internal sealed class ProperCaseFormatter : HeaderKeyFormatter
{
    public static readonly ProperCaseFormatter Instance = new();

    public override void Format(ReadOnlySpan<byte> name, Span<byte> destination)
    {
        var capital = true;
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            destination[i] = capital && c is >= (byte)'a' and <= (byte)'z' ? (byte)(c & ~0x20) : c;
            capital = !(c is >= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or >= (byte)'A' and <= (byte)'Z');
        }
    }
}
