namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>One compiled part of a format.</summary>
internal abstract class FormatOperator
{
    /// <summary>Appends the text; false, with nothing written, when there is no value.</summary>
    public abstract bool Write(in LogContext context, ByteWriter output);

    /// <summary>Appends the value as JSON, keeping its type; false, with nothing written, when there is no value. A string unless overridden.</summary>
    public virtual bool WriteJson(in LogContext context, ByteWriter output)
    {
        var scratch = ByteWriter.Rent();
        var found = Write(context, scratch);
        if (found)
        {
            JsonText.WriteString(scratch.Written, output);
        }
        ByteWriter.Return(scratch);
        return found;
    }
}

/// <summary>Text between operators.</summary>
internal sealed class LiteralOperator(byte[] text) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        output.Write(text);
        return true;
    }
}

/// <summary>Gets a string; null has no value.</summary>
internal delegate string? TextGetter(in LogContext context);

/// <summary>An operator whose value is a string.</summary>
internal sealed class TextOperator(TextGetter get) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (get(context) is not { } text)
        {
            return false;
        }
        output.Write(text);
        return true;
    }
}

/// <summary>Gets an integer; null has no value.</summary>
internal delegate long? NumberGetter(in LogContext context);

/// <summary>An operator whose value is an integer.</summary>
internal sealed class NumberOperator(NumberGetter get) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (get(context) is not { } number)
        {
            return false;
        }
        output.Write(number);
        return true;
    }

    public override bool WriteJson(in LogContext context, ByteWriter output) => Write(context, output);
}

/// <summary>An operator whose value is cut to a number of bytes; a structured value stays whole.</summary>
internal sealed class TruncatedOperator(FormatOperator inner, int length) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var start = output.Length;
        if (!inner.Write(context, output))
        {
            return false;
        }
        output.CutTo(Math.Min(output.Length, start + length));
        return true;
    }
}

/// <summary>The first of several operators that has a value that is not empty.</summary>
internal sealed class CoalesceOperator(FormatOperator[] operators) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var start = output.Length;
        foreach (var part in operators)
        {
            if (part.Write(context, output) && output.Length > start)
            {
                return true;
            }
        }
        return false;
    }

    public override bool WriteJson(in LogContext context, ByteWriter output)
    {
        foreach (var part in operators)
        {
            if (part.WriteJson(context, output))
            {
                return true;
            }
        }
        return false;
    }
}
