using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%FILTER_STATE(KEY:PLAIN|TYPED|FIELD:name)%`: typed is the default and prints JSON, so a string has quotes.</summary>
internal sealed class FilterStateOperator : FormatOperator
{
    private readonly bool _upstream;
    private readonly string _key;
    private readonly bool _plain;
    private readonly string? _field;

    public FilterStateOperator(string command, bool upstream, string argument)
    {
        var parts = argument.Split(':');
        var form = parts.Length > 1 ? parts[1] : "TYPED";
        if (parts[0].Length == 0 || parts.Length > 3 || form is not ("PLAIN" or "TYPED" or "FIELD")
            || (form == "FIELD") != (parts.Length == 3))
        {
            throw new ConfigurationException(
                $"%{command}({argument})% is not understood; write %{command}(KEY)%, (KEY:PLAIN), (KEY:TYPED) or (KEY:FIELD:NAME).");
        }
        _upstream = upstream;
        _key = parts[0];
        _plain = form == "PLAIN";
        _field = parts.Length == 3 ? parts[2] : null;
    }

    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (!_plain && _field is null)
        {
            return WriteJson(context, output);
        }
        if (Text(Find(context)) is not { } text)
        {
            return false;
        }
        output.Write(text);
        return true;
    }

    public override bool WriteJson(in LogContext context, ByteWriter output)
    {
        var found = Find(context);
        if (!_plain && _field is null && found?.SerializeAsJson() is { } json)
        {
            output.Write(json);
            return true;
        }
        if (Text(found) is not { } text)
        {
            return false;
        }
        JsonText.WriteString(text, output);
        return true;
    }

    private IFilterStateObject? Find(in LogContext context) =>
        (_upstream ? context.StreamInfo.Upstream?.FilterState : context.StreamInfo.FilterState)?.Get(_key);

    private string? Text(IFilterStateObject? found) =>
        _field is null ? found?.SerializeAsString() : found?.GetField(_field);
}
