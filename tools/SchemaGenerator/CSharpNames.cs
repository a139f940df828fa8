using System.Text;

namespace MeshProxy.SchemaGenerator;

/// <summary>Names as protoc's C# generator makes them, but with nested types directly in their parent.</summary>
internal static class CSharpNames
{
    public static string Namespace(string package) =>
        package == "google.protobuf"
            ? "Google.Protobuf.WellKnownTypes"
            : string.Join('.', package.Split('.').Select(Pascal));

    /// <summary><c>http2_protocol_options</c> becomes <c>Http2ProtocolOptions</c>; a letter after a digit is a capital.</summary>
    public static string Pascal(string snake)
    {
        var result = new StringBuilder();
        var capital = true;
        foreach (var c in snake)
        {
            if (!char.IsAsciiLetterOrDigit(c))
            {
                capital = true;
                continue;
            }

            result.Append(capital ? char.ToUpperInvariant(c) : c);
            capital = char.IsAsciiDigit(c);
        }

        return result.ToString();
    }

    /// <summary><c>STRICT_DNS</c> becomes <c>StrictDns</c>, without the enum's own name in front.</summary>
    public static string EnumValue(string enumName, string value)
    {
        var stripped = WithoutPrefix(enumName, value);
        var result = new StringBuilder();
        var previous = '_';
        foreach (var c in stripped)
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                result.Append(
                    !char.IsAsciiLetter(previous) ? char.ToUpperInvariant(c)
                    : char.IsAsciiLetterLower(previous) ? c
                    : char.ToLowerInvariant(c));
            }

            previous = c;
        }

        var name = result.ToString();
        return char.IsAsciiDigit(name[0]) ? "_" + name : name;
    }

    private static string WithoutPrefix(string enumName, string value)
    {
        var position = 0;
        foreach (var c in enumName.Where(c => c != '_'))
        {
            while (position < value.Length && value[position] == '_')
            {
                position++;
            }

            if (position == value.Length || char.ToLowerInvariant(value[position]) != char.ToLowerInvariant(c))
            {
                return value;
            }

            position++;
        }

        while (position < value.Length && value[position] == '_')
        {
            position++;
        }

        return position == value.Length ? value : value[position..];
    }
}
