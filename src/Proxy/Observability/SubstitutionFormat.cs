using System.Text;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability;

/// <summary>
/// Compiles Envoy's command operators (`%REQ(X)%` …) to writers of bytes: access logs, header values, local replies, span names.
/// </summary>
public static class SubstitutionFormat
{
    /// <summary>Envoy's format of file access logs that have none.</summary>
    public const string DefaultLogFormat =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
        + "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
        + "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

    /// <summary>Compiles a text format.</summary>
    /// <param name="omitEmpty">A missing value prints nothing instead of "-" (header values: true).</param>
    /// <exception cref="ConfigurationException">The format is not understood; the message says what and why.</exception>
    public static IFormatter Compile(string format, bool omitEmpty = false) => Compile(format, omitEmpty, null);

    /// <summary>True if the text has any operator, so that it must be formatted for each use.</summary>
    public static bool IsConstant(string format, out string text)
    {
        text = format.Contains('%') ? format.Replace("%%", "%", StringComparison.Ordinal) : format;
        return !format.Replace("%%", "", StringComparison.Ordinal).Contains('%');
    }

    /// <summary>Compiles a JSON format: strings in it are text formats; one that is a single operator keeps the value's type.</summary>
    /// <param name="endLine">End each record by a newline (access logs; not local replies' bodies).</param>
    public static IFormatter CompileStruct(MetadataValue.StructNode format, bool omitEmpty = false, bool endLine = true) =>
        CompileStruct(format, omitEmpty, endLine, null);

    /// <summary>Compiles core.v3.SubstitutionFormatString with the commands its formatters add.</summary>
    /// <param name="endLine">End each JSON record by a newline.</param>
    public static IFormatter Compile(SubstitutionFormatString config, string field, bool endLine = true)
    {
        try
        {
            var extensions = FormatExtensions.Of(config.Formatters);
            return config.FormatCase switch
            {
                SubstitutionFormatString.FormatOneofCase.JsonFormat => CompileStruct(
                    MetadataConversion.ToStruct(config.JsonFormat!.Value), config.OmitEmptyValues, endLine, extensions),
                SubstitutionFormatString.FormatOneofCase.TextFormatSource => Compile(
                    Encoding.UTF8.GetString(Configuration.DataSource.Read(config.TextFormatSource!.Value, uint.MaxValue, "text_format_source")),
                    config.OmitEmptyValues, extensions),
                _ => Compile(config.TextFormat, config.OmitEmptyValues, extensions),
            };
        }
        catch (ConfigurationException error)
        {
            throw new ConfigurationException($"{field}: {error.Message}", error);
        }
    }

    internal static IFormatter Compile(string format, bool omitEmpty, IReadOnlyDictionary<string, Command>? extensions) =>
        new TextFormatter([.. FormatParser.Parse(format, extensions)], omitEmpty);

    internal static IFormatter CompileStruct(
        MetadataValue.StructNode format, bool omitEmpty, bool endLine, IReadOnlyDictionary<string, Command>? extensions) =>
        new JsonFormatter(CompilePart(format, omitEmpty, extensions), endLine);

    private static JsonPart CompilePart(MetadataValue value, bool omitEmpty, IReadOnlyDictionary<string, Command>? extensions)
    {
        switch (value)
        {
            case MetadataValue.StructNode fields:
                var keys = new List<string>(fields.Fields.Keys);
                keys.Sort(StringComparer.Ordinal);
                return new JsonContainer(
                    [.. keys.ConvertAll(key => (Key(key), CompilePart(fields.Fields[key], omitEmpty, extensions)))], isList: false);
            case MetadataValue.ListNode list:
                var items = new List<MetadataValue>(list.Items);
                return new JsonContainer(
                    [.. items.ConvertAll(item => (Array.Empty<byte>(), CompilePart(item, omitEmpty, extensions)))], isList: true);
            case MetadataValue.StringNode text:
                return CompileText(text.Value, omitEmpty, extensions);
            default:
                return Constant(value);
        }
    }

    private static JsonPart CompileText(string text, bool omitEmpty, IReadOnlyDictionary<string, Command>? extensions)
    {
        var parts = FormatParser.Parse(text, extensions);
        if (parts.Count == 1 && parts[0] is not LiteralOperator)
        {
            return new JsonOperator(parts[0], omitEmpty);
        }
        return parts.Exists(part => part is not LiteralOperator)
            ? new JsonTemplate(new TextFormatter([.. parts], omitEmpty))
            : Constant(MetadataValue.From(text.Replace("%%", "%", StringComparison.Ordinal)));
    }

    private static byte[] Key(string key)
    {
        var writer = new ByteWriter();
        JsonText.WriteString(key, writer);
        writer.Write((byte)':');
        return writer.Written.ToArray();
    }

    private static JsonConstant Constant(MetadataValue value)
    {
        var writer = new ByteWriter();
        JsonText.WriteValue(value, writer);
        return new JsonConstant(writer.Written.ToArray());
    }
}
