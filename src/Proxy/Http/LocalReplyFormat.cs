using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Core.V3.SubstitutionFormatString;

namespace MeshProxy.Proxy.Http;

/// <summary>A core.v3.SubstitutionFormatString that renders the body of an answer.</summary>
internal sealed class LocalReplyFormat
{
    private readonly IFormatter? _formatter;
    private readonly byte[] _constant;

    private LocalReplyFormat(IFormatter? formatter, byte[] constant, string contentType)
    {
        _formatter = formatter;
        _constant = constant;
        ContentType = contentType;
    }

    public string ContentType { get; }

    public static LocalReplyFormat Compile(Config config, string field)
    {
        if (config.FormatCase == Config.FormatOneofCase.JsonFormat)
        {
            var json = SubstitutionFormat.CompileStruct(
                MetadataConversion.ToStruct(config.JsonFormat!.Value), config.OmitEmptyValues);
            return new LocalReplyFormat(json, [], config.ContentType.Length > 0 ? config.ContentType : "application/json");
        }
        var text = config.FormatCase == Config.FormatOneofCase.TextFormatSource
            ? Encoding.UTF8.GetString(DataSource.Read(config.TextFormatSource!.Value, uint.MaxValue, $"{field}.text_format_source"))
            : config.TextFormat;
        var type = config.ContentType.Length > 0 ? config.ContentType : "text/plain";
        if (SubstitutionFormat.IsConstant(text, out var constant))
        {
            return new LocalReplyFormat(null, Encoding.UTF8.GetBytes(constant), type);
        }
        try
        {
            return new LocalReplyFormat(SubstitutionFormat.Compile(text, config.OmitEmptyValues), [], type);
        }
        catch (ConfigurationException error)
        {
            throw new ConfigurationException($"{field}: {error.Message}", error);
        }
    }

    public byte[] Format(in LogContext context)
    {
        if (_formatter is null)
        {
            return _constant;
        }
        var output = new ArrayBufferWriter<byte>();
        _formatter.Format(context, output);
        return output.WrittenSpan.ToArray();
    }
}
