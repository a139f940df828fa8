using System.Globalization;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Reads rule values, which the table holds as text.</summary>
internal static class RuleReader
{
    private const byte List = (byte)'[';
    private const byte Object = (byte)'{';

    /// <summary>Enters an object and returns its number of members.</summary>
    public static int Members(ref SchemaReader reader) =>
        reader.ReadByte() == Object ? (int)reader.ReadVarint() : throw Malformed();

    public static string Text(ref SchemaReader reader) =>
        reader.ReadByte() == (byte)'s' ? reader.ReadString() : throw Malformed();

    public static bool Flag(ref SchemaReader reader) => Text(ref reader) == "true";

    public static long Length(ref SchemaReader reader) =>
        long.Parse(Text(ref reader), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>A number, or a duration such as <c>0.001s</c>, which counts in nanoseconds.</summary>
    public static decimal Bound(ref SchemaReader reader)
    {
        var text = Text(ref reader);
        var isDuration = text.EndsWith('s');
        var value = decimal.Parse(isDuration ? text.AsSpan(0, text.Length - 1) : text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return isDuration ? value * Durations.NanosecondsPerSecond : value;
    }

    public static string[] Texts(ref SchemaReader reader)
    {
        var items = new string[reader.ReadByte() == List ? reader.ReadVarint() : throw Malformed()];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = Text(ref reader);
        }

        return items;
    }

    private static InvalidOperationException Malformed() =>
        new("a rule of the interface table has an unknown form: generate the table again");
}
