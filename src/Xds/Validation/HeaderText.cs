using System.Buffers;

namespace MeshProxy.Xds.Validation;

/// <summary>What header names and values may contain, by protoc-gen-validate's well-known patterns.</summary>
internal static class HeaderText
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+,-.^_|~`");

    private static readonly SearchValues<char> NotInValues = SearchValues.Create(
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000A\u000B\u000C\u000D\u000E\u000F\u0010\u0011\u0012\u0013"
        + "\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\u007F");

    /// <summary>A token, or a pseudo header's name with its colon.</summary>
    public static bool IsName(ReadOnlySpan<char> text)
    {
        var token = text.StartsWith(':') ? text[1..] : text;
        return token.Length > 0 && !token.ContainsAnyExcept(NameCharacters);
    }

    public static bool IsValue(ReadOnlySpan<char> text) => !text.ContainsAny(NotInValues);

    /// <summary>Nothing that ends a header line.</summary>
    public static bool IsHarmless(ReadOnlySpan<char> text) => !text.ContainsAny('\0', '\n', '\r');
}
