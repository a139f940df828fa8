using System.Buffers;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>A compiled JSON format: one object a line.</summary>
internal sealed class JsonFormatter(JsonPart root, bool endLine) : IFormatter
{
    public void Format(in LogContext context, IBufferWriter<byte> output)
    {
        var scratch = ByteWriter.Rent();
        if (!root.Write(context, scratch))
        {
            scratch.Write("{}"u8);
        }
        if (endLine)
        {
            scratch.Write((byte)'\n');
        }
        output.Write(scratch.Written);
        ByteWriter.Return(scratch);
    }
}

/// <summary>A value of a JSON format.</summary>
internal abstract class JsonPart
{
    /// <summary>Appends the value; false, with nothing written, if it is to be left out.</summary>
    public abstract bool Write(in LogContext context, ByteWriter output);
}

/// <summary>A value that is the same in every record.</summary>
internal sealed class JsonConstant(byte[] json) : JsonPart
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        output.Write(json);
        return true;
    }
}

/// <summary>A value that is one operator and keeps its type.</summary>
internal sealed class JsonOperator(FormatOperator part, bool omitEmpty) : JsonPart
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (part.WriteJson(context, output))
        {
            return true;
        }
        if (omitEmpty)
        {
            return false;
        }
        output.Write("null"u8);
        return true;
    }
}

/// <summary>A value of several parts: a string.</summary>
internal sealed class JsonTemplate(TextFormatter text) : JsonPart
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var scratch = ByteWriter.Rent();
        text.Write(context, scratch);
        JsonText.WriteString(scratch.Written, output);
        ByteWriter.Return(scratch);
        return true;
    }
}

/// <summary>An object (with names) or a list (without). One that loses all its members by omit_empty_values is left out; one written empty stays.</summary>
internal sealed class JsonContainer((byte[] Name, JsonPart Part)[] members, bool isList) : JsonPart
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var start = output.Length;
        output.Write(isList ? (byte)'[' : (byte)'{');
        var any = false;
        foreach (var (name, part) in members)
        {
            var before = output.Length;
            if (any)
            {
                output.Write((byte)',');
            }
            output.Write(name);
            if (part.Write(context, output))
            {
                any = true;
            }
            else
            {
                output.CutTo(before);
            }
        }
        if (!any && members.Length > 0)
        {
            output.CutTo(start);
            return false;
        }
        output.Write(isList ? (byte)']' : (byte)'}');
        return true;
    }
}
