using System.Buffers;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>A compiled text format.</summary>
internal sealed class TextFormatter(FormatOperator[] parts, bool omitEmpty) : IFormatter
{
    public void Format(in LogContext context, IBufferWriter<byte> output)
    {
        if (output is ByteWriter writer)
        {
            Write(context, writer);
            return;
        }
        var scratch = ByteWriter.Rent();
        Write(context, scratch);
        output.Write(scratch.Written);
        ByteWriter.Return(scratch);
    }

    public void Write(in LogContext context, ByteWriter output)
    {
        foreach (var part in parts)
        {
            if (!part.Write(context, output) && !omitEmpty)
            {
                output.Write((byte)'-');
            }
        }
    }
}
