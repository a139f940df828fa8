using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http;

/// <summary>A substitution format that gives a text: rewritten paths and hosts, bodies.</summary>
internal sealed class HeaderValueFormat
{
    private readonly IFormatter? _formatter;
    private readonly string _constant;

    private HeaderValueFormat(IFormatter? formatter, byte[] constant)
    {
        _formatter = formatter;
        _constant = Encoding.UTF8.GetString(constant);
    }

    public static HeaderValueFormat Compile(string format, string field)
    {
        var formatter = HeaderFormatter.Compile(format, field, out var constant);
        return new HeaderValueFormat(formatter, constant);
    }

    public string Format(in LogContext context)
    {
        if (_formatter is null)
        {
            return _constant;
        }
        var output = new ArrayBufferWriter<byte>();
        _formatter.Format(context, output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
