using System.Buffers;
using System.Text;

namespace MeshProxy.Proxy.Http;

/// <summary>What a service may name without breaking the message (RFC 9110, sections 5.1 and 5.5; RFC 3986, 2.1).</summary>
internal static class HeaderText
{
    private static readonly SearchValues<byte> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private static readonly SearchValues<byte> Breaking = SearchValues.Create("\0\r\n"u8);

    private static readonly SearchValues<byte> QueryCharacters = SearchValues.Create(
        "-._~!$'()*+,;:@/?%0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    public static byte[] Name(string name) => Encoding.UTF8.GetBytes(name.ToLowerInvariant());

    public static byte[] Value(string value) => Encoding.UTF8.GetBytes(value);

    public static bool IsName(ReadOnlySpan<byte> name)
    {
        var token = name.Length > 1 && name[0] == ':' ? name[1..] : name;
        return !token.IsEmpty && !token.ContainsAnyExcept(Token);
    }

    public static bool IsValue(ReadOnlySpan<byte> value) => !value.ContainsAny(Breaking);

    /// <summary>Whether all of the headers may stand in a message.</summary>
    public static bool AreValid(List<UnsafeHeader> headers)
    {
        foreach (var header in headers)
        {
            if (!IsName(Name(header.Name)) || !IsValue(Value(header.Value)))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>A name or value of a query parameter with everything else percent-encoded.</summary>
    public static bool IsQueryPart(string text) => !Encoding.UTF8.GetBytes(text).AsSpan().ContainsAnyExcept(QueryCharacters);
}
