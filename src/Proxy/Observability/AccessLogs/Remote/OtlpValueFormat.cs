using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Formatting;
using Opentelemetry.Proto.Common.V1;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>A value of an OpenTelemetry log record with operators in its texts: a text, a list, or values by key.</summary>
internal abstract class OtlpValueFormat
{
    /// <exception cref="ConfigurationException">A value is of another kind, or an operator is not understood.</exception>
    public static OtlpValueFormat Compile(
        AnyValue config, IReadOnlyDictionary<string, Command>? extensions, string field) => config.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue =>
                new Text(SubstitutionFormat.Compile(config.StringValue, omitEmpty: false, extensions)),
            AnyValue.ValueOneofCase.KvlistValue => new Fields(CompileFields(config.KvlistValue, extensions, field)),
            AnyValue.ValueOneofCase.ArrayValue => new Items(
                [.. config.ArrayValue!.Value.Values.Select(item => Compile(item, extensions, field))]),
            _ => throw new ConfigurationException(
                $"{field}: only string values, nested key-value lists and arrays are supported in OpenTelemetry access logs."),
        };

    /// <exception cref="ConfigurationException">A value is of another kind, or an operator is not understood.</exception>
    public static OtlpFieldFormat[] CompileFields(
        KeyValueList? config, IReadOnlyDictionary<string, Command>? extensions, string field)
    {
        var fields = new List<OtlpFieldFormat>();
        foreach (var pair in config?.Values ?? default)
        {
            fields.Add(new OtlpFieldFormat(pair.Key, Compile(pair.Value ?? AnyValue.New(), extensions, $"{field}[{pair.Key}]")));
        }
        return [.. fields];
    }

    public abstract AnyValue Format(in LogContext context);

    private sealed class Text(IFormatter format) : OtlpValueFormat
    {
        public override AnyValue Format(in LogContext context)
        {
            var value = AnyValue.New();
            value.StringValue = format.ToText(context);
            return value;
        }
    }

    private sealed class Items(OtlpValueFormat[] items) : OtlpValueFormat
    {
        public override AnyValue Format(in LogContext context)
        {
            var list = ArrayValue.New();
            foreach (var item in items)
            {
                list.Values.Add(item.Format(context));
            }
            var value = AnyValue.New();
            value.ArrayValue = list;
            return value;
        }
    }

    private sealed class Fields(OtlpFieldFormat[] fields) : OtlpValueFormat
    {
        public override AnyValue Format(in LogContext context)
        {
            var list = KeyValueList.New();
            foreach (var field in fields)
            {
                list.Values.Add(field.Format(context));
            }
            var value = AnyValue.New();
            value.KvlistValue = list;
            return value;
        }
    }
}

/// <summary>A value by its key.</summary>
internal sealed record OtlpFieldFormat(string Key, OtlpValueFormat Value)
{
    public KeyValue Format(in LogContext context)
    {
        var pair = KeyValue.New();
        pair.Key = Key;
        pair.Value = Value.Format(context);
        return pair;
    }
}
