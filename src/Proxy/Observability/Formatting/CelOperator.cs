using MeshProxy.Proxy.Matching.Cel;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%CEL(expression)%` prints text; `%TYPED_CEL(expression)%` keeps numbers, lists and maps in JSON.</summary>
internal sealed class CelOperator(CelExpression expression, bool typed) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var value = expression.Evaluate(context);
        if (value.Kind is CelKind.Error or CelKind.Null)
        {
            return false;
        }
        if (value.ToText() is { } text)
        {
            output.Write(text);
        }
        else
        {
            WriteTyped(value, output);
        }
        return true;
    }

    public override bool WriteJson(in LogContext context, ByteWriter output)
    {
        if (!typed)
        {
            return base.WriteJson(context, output);
        }
        var value = expression.Evaluate(context);
        if (value.Kind is CelKind.Error or CelKind.Null)
        {
            return false;
        }
        WriteTyped(value, output);
        return true;
    }

    private static void WriteTyped(in CelValue value, ByteWriter output)
    {
        switch (value.Kind)
        {
            case CelKind.Bool or CelKind.Int or CelKind.UInt:
                output.Write(value.ToText()!);
                break;
            case CelKind.Double:
                JsonText.WriteNumber(value.AsDouble, output);
                break;
            case CelKind.Bytes:
                JsonText.WriteString(Convert.ToBase64String(value.AsBytes), output);
                break;
            case CelKind.List:
                WriteList(value, output);
                break;
            case CelKind.Map:
                WriteMap(value, output);
                break;
            default:
                if (value.ToText() is { } text)
                {
                    JsonText.WriteString(text, output);
                }
                else
                {
                    output.Write("null"u8);
                }
                break;
        }
    }

    private static void WriteList(in CelValue list, ByteWriter output)
    {
        var separator = (byte)'[';
        foreach (var item in list.AsList)
        {
            output.Write(separator);
            separator = (byte)',';
            WriteTyped(item, output);
        }
        output.Write(separator == (byte)'[' ? "[]"u8 : "]"u8);
    }

    private static void WriteMap(in CelValue map, ByteWriter output)
    {
        var separator = (byte)'{';
        foreach (var key in map.AsMap.Keys.OrderBy(key => key.ToText(), StringComparer.Ordinal))
        {
            if (!map.AsMap.TryGet(key, out var value))
            {
                continue;
            }
            output.Write(separator);
            separator = (byte)',';
            JsonText.WriteString(key.ToText() ?? "", output);
            output.Write((byte)':');
            WriteTyped(value, output);
        }
        output.Write(separator == (byte)'{' ? "{}"u8 : "}"u8);
    }
}
