namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%RESPONSE_FLAGS%`, `%RESPONSE_FLAGS_LONG%`: the flags in the order they were set. Without flags "-", which counts as a value.</summary>
internal sealed class ResponseFlagsOperator(bool longNames) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        var info = context.StreamInfo;
        if (info.ResponseFlags == ResponseFlags.None)
        {
            output.Write((byte)'-');
            return true;
        }
        for (var i = 0; info.FlagAt(i) is var flag and >= 0; i++)
        {
            if (i > 0)
            {
                output.Write((byte)',');
            }
            output.Write(longNames ? ResponseFlagNames.Long(flag) : ResponseFlagNames.Short(flag));
        }
        return true;
    }
}
