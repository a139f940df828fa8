using System.Text;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Formats to a string, where one is needed (tags, names): not for what is written on each request.</summary>
internal static class FormatterText
{
    public static string ToText(this IFormatter formatter, in LogContext context)
    {
        var output = ByteWriter.Rent();
        formatter.Format(context, output);
        var text = Encoding.UTF8.GetString(output.Written);
        ByteWriter.Return(output);
        return text;
    }

    public static string ToJson(this MetadataValue value)
    {
        var output = ByteWriter.Rent();
        JsonText.WriteValue(value, output);
        var text = Encoding.UTF8.GetString(output.Written);
        ByteWriter.Return(output);
        return text;
    }
}
