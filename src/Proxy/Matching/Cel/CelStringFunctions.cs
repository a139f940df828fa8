namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>What CelExpressionConfig switches on: joining texts by `+`, `split` and `replace` (cel-go's strings extension).</summary>
internal static class CelStringFunctions
{
    private static readonly CelValue NoOverload = CelValue.Error("no matching overload");

    public static CelValue Join(in CelValue left, in CelValue right) => left.Kind == CelKind.String && right.Kind == CelKind.String
        ? CelValue.Of(left.AsString + right.AsString) : NoOverload;

    /// <summary>An empty separator gives the characters one by one.</summary>
    public static CelValue Split(in CelValue text, in CelValue separator)
    {
        if (text.Kind != CelKind.String || separator.Kind != CelKind.String)
        {
            return NoOverload;
        }
        var parts = separator.AsString.Length > 0
            ? text.AsString.Split(separator.AsString)
            : [.. text.AsString.EnumerateRunes().Select(static rune => rune.ToString())];
        return CelValue.Of(Array.ConvertAll(parts, static part => CelValue.Of(part)));
    }

    public static CelValue Replace(in CelValue text, in CelValue old, in CelValue replacement) =>
        text.Kind != CelKind.String || old.Kind != CelKind.String || replacement.Kind != CelKind.String ? NoOverload
            : old.AsString.Length == 0 ? text
            : CelValue.Of(text.AsString.Replace(old.AsString, replacement.AsString, StringComparison.Ordinal));
}
