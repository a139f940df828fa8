using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>Writes messages by the proto3 JSON mapping, fields in order of number.</summary>
internal sealed class MessageJsonWriter(Utf8JsonWriter output, JsonWriteOptions options)
{
    private readonly Utf8JsonWriter _output = output;
    private readonly JsonWriteOptions _options = options;

    public void Write(Message message)
    {
        switch (message.Type.WellKnown)
        {
            case WellKnownType.Struct or WellKnownType.Value or WellKnownType.ListValue
                or WellKnownType.Timestamp or WellKnownType.Duration or WellKnownType.FieldMask or WellKnownType.Wrapper:
                WriteWellKnown(message);
                break;
            default:
                _output.WriteStartObject();
                WriteFields(message);
                _output.WriteEndObject();
                break;
        }
    }

    private void WriteWellKnown(Message message)
    {
        switch (message.Type.WellKnown)
        {
            case WellKnownType.Struct:
                WriteNode(StructValues.StructToNode(message));
                break;
            case WellKnownType.Value:
                WriteNode(StructValues.ToNode(message));
                break;
            case WellKnownType.ListValue:
                WriteNode(StructValues.ListToNode(message));
                break;
            case WellKnownType.Timestamp:
                _output.WriteStringValue(JsonText.FormatTimestamp(message));
                break;
            case WellKnownType.Duration:
                _output.WriteStringValue(
                    JsonText.FormatDuration(Durations.FromParts(message.GetInt64(0), message.GetInt32(1))));
                break;
            case WellKnownType.FieldMask:
                WriteFieldMask(message);
                break;
            default:
                WriteWrapper(message);
                break;
        }
    }

    private void WriteFields(Message message)
    {
        var wanted = _options.PrintDefaults ? AllWithDefaults(message) : message.Presence;
        for (; wanted != 0; wanted &= wanted - 1)
        {
            var field = message.Type.Fields[BitOperations.TrailingZeroCount(wanted)];
            _output.WritePropertyName(_options.CamelCaseNames ? field.JsonName : field.Name);
            WriteField(message, field);
        }
    }

    private static ulong AllWithDefaults(Message message)
    {
        var fields = message.Presence;
        foreach (var field in message.Type.Fields)
        {
            fields |= field.HasPresence ? 0 : field.Bit;
        }

        return fields;
    }

    private void WriteField(Message message, FieldDescriptor field)
    {
        if (field.IsMap)
        {
            WriteMap((MapField?)message.Reference(field.Index), field);
        }
        else if (field.IsRepeated)
        {
            WriteList((RepeatedField?)message.Reference(field.Index), field);
        }
        else if (field.IsBits)
        {
            WriteBits(message.Bits(field.Index), field.Kind, field.EnumType);
        }
        else
        {
            WriteReference(message.Reference(field.Index) ?? (field.Kind == FieldKind.String ? "" : Array.Empty<byte>()));
        }
    }

    private void WriteMap(MapField? map, FieldDescriptor field)
    {
        _output.WriteStartObject();
        for (var i = 0; i < map?.Count; i++)
        {
            _output.WritePropertyName(map.Keys.IsBits
                ? KeyText(map.Keys.BitsAt(i), field.KeyKind)
                : (string)map.Keys.ReferenceAt(i));
            if (map.Values.IsBits)
            {
                WriteBits(map.Values.BitsAt(i), field.Kind, field.EnumType);
            }
            else
            {
                WriteReference(map.Values.ReferenceAt(i));
            }
        }

        _output.WriteEndObject();
    }

    private static string KeyText(ulong bits, FieldKind kind) => kind switch
    {
        FieldKind.Bool => bits == 0 ? "false" : "true",
        FieldKind.UInt64 or FieldKind.Fixed64 => bits.ToString(CultureInfo.InvariantCulture),
        _ => ((long)bits).ToString(CultureInfo.InvariantCulture),
    };

    private void WriteList(RepeatedField? list, FieldDescriptor field)
    {
        _output.WriteStartArray();
        for (var i = 0; i < list?.Count; i++)
        {
            if (list.IsBits)
            {
                WriteBits(list.BitsAt(i), field.Kind, field.EnumType);
            }
            else
            {
                WriteReference(list.ReferenceAt(i));
            }
        }

        _output.WriteEndArray();
    }

    private void WriteBits(ulong bits, FieldKind kind, EnumType? enumType)
    {
        switch (kind)
        {
            case FieldKind.Bool:
                _output.WriteBooleanValue(bits != 0);
                break;
            case FieldKind.Double:
                WriteDouble(BitConverter.UInt64BitsToDouble(bits));
                break;
            case FieldKind.Float:
                WriteFloat(BitConverter.UInt32BitsToSingle((uint)bits));
                break;
            case FieldKind.Enum:
                WriteEnum((int)bits, enumType!);
                break;
            case FieldKind.Duration:
                _output.WriteStringValue(JsonText.FormatDuration((long)bits));
                break;
            case FieldKind.UInt64 or FieldKind.Fixed64:
                _output.WriteStringValue(bits.ToString(CultureInfo.InvariantCulture));
                break;
            case FieldKind.Int64 or FieldKind.SInt64 or FieldKind.SFixed64:
                _output.WriteStringValue(((long)bits).ToString(CultureInfo.InvariantCulture));
                break;
            default:
                _output.WriteNumberValue((long)bits);
                break;
        }
    }

    private void WriteEnum(int number, EnumType type)
    {
        if (type.FullName == "google.protobuf.NullValue")
        {
            _output.WriteNullValue();
        }
        else if (type.NameOf(number) is { } name)
        {
            _output.WriteStringValue(name);
        }
        else
        {
            _output.WriteNumberValue(number);
        }
    }

    private void WriteDouble(double value)
    {
        if (double.IsFinite(value))
        {
            _output.WriteNumberValue(value);
        }
        else
        {
            _output.WriteStringValue(NotFinite(value));
        }
    }

    private void WriteFloat(float value)
    {
        if (float.IsFinite(value))
        {
            _output.WriteNumberValue(value);
        }
        else
        {
            _output.WriteStringValue(NotFinite(value));
        }
    }

    private static string NotFinite(double value) =>
        double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    private void WriteReference(object value)
    {
        switch (value)
        {
            case string text:
                _output.WriteStringValue(text);
                break;
            case byte[] bytes:
                _output.WriteBase64StringValue(bytes);
                break;
            case Any any:
                WriteAny(any);
                break;
            default:
                Write((Message)value);
                break;
        }
    }

    /// <summary>The message inline beside @type; one of unknown type as its bytes, which no reader takes but a person sees.</summary>
    private void WriteAny(Any any)
    {
        _output.WriteStartObject();
        if (any.TypeUrl.Length > 0)
        {
            _output.WriteString("@type", any.TypeUrl);
        }

        if (any.RawMessage is not { } message)
        {
            WriteUnknown(any);
        }
        else if (message.Type.WellKnown is WellKnownType.None or WellKnownType.TypedStruct or WellKnownType.Empty)
        {
            WriteFields(message);
        }
        else
        {
            _output.WritePropertyName("value");
            Write(message);
        }

        _output.WriteEndObject();
    }

    private void WriteUnknown(Any any)
    {
        if (any.Value.Length > 0)
        {
            _output.WriteBase64String("value", any.Value.Span);
        }
    }

    private void WriteFieldMask(Message mask)
    {
        var paths = (RepeatedField?)mask.Reference(0);
        var text = new StringBuilder();
        for (var i = 0; i < paths?.Count; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(FieldDescriptor.ToJsonName((string)paths.ReferenceAt(i)));
        }

        _output.WriteStringValue(text.ToString());
    }

    private void WriteWrapper(Message wrapper) => WriteField(wrapper, wrapper.Type.Fields[0]);

    private void WriteNode(ConfigNode node)
    {
        switch (node.Kind)
        {
            case NodeKind.Null:
                _output.WriteNullValue();
                break;
            case NodeKind.Bool:
                _output.WriteBooleanValue(node.Flag);
                break;
            case NodeKind.Number:
                WriteDouble(node.Number);
                break;
            case NodeKind.Text:
                _output.WriteStringValue(node.Text);
                break;
            case NodeKind.List:
                _output.WriteStartArray();
                foreach (var item in node.Items)
                {
                    WriteNode(item);
                }

                _output.WriteEndArray();
                break;
            default:
                WriteNodeObject(node);
                break;
        }
    }

    private void WriteNodeObject(ConfigNode node)
    {
        _output.WriteStartObject();
        foreach (var (name, value) in node.Members)
        {
            _output.WritePropertyName(name);
            WriteNode(value);
        }

        _output.WriteEndObject();
    }
}
