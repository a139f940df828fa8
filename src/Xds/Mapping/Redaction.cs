using System.Numerics;
using System.Text;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>
/// Removes what fields declared sensitive hold, before configuration is shown: text and bytes become
/// <c>[redacted]</c>, other values are cleared, in the field and everything below it. Keys of maps stay.
/// </summary>
public static class Redaction
{
    private const string Redacted = "[redacted]";

    private static byte[] RedactedBytes => Encoding.ASCII.GetBytes(Redacted);

    /// <summary>A redacted copy.</summary>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static Message Redact(Message message)
    {
        var copy = message.Clone();
        Redact(copy, isSensitive: false);
        return copy;
    }

    private static void Redact(Message message, bool isSensitive)
    {
        for (var rest = message.Presence; rest != 0; rest &= rest - 1)
        {
            var field = message.Type.Fields[BitOperations.TrailingZeroCount(rest)];
            var isFieldSensitive = isSensitive || field.IsSensitive;
            switch (field.IsReference ? message.Reference(field.Index) : null)
            {
                case RepeatedField { IsBits: false } list:
                    RedactAll(list, isFieldSensitive);
                    break;
                case MapField { Values.IsBits: false } map:
                    RedactAll(map.Values, isFieldSensitive);
                    break;
                case null or RepeatedField or MapField:
                    if (isFieldSensitive)
                    {
                        message.Clear(field.Index);
                    }

                    break;
                case { } value:
                    message.SetReference(field.Index, RedactValue(value, isFieldSensitive));
                    break;
            }
        }
    }

    private static void RedactAll(RepeatedField list, bool isSensitive)
    {
        for (var i = 0; i < list.Count; i++)
        {
            list.Replace(i, RedactValue(list.ReferenceAt(i), isSensitive));
        }
    }

    private static object RedactValue(object value, bool isSensitive)
    {
        switch (value)
        {
            case string text:
                return isSensitive ? Redacted : text;
            case byte[] bytes:
                return isSensitive ? RedactedBytes : bytes;
            case Any any:
                return RedactAny(any, isSensitive);
            case Message { Type.WellKnown: WellKnownType.TypedStruct } typedStruct:
                return RedactTypedStruct(typedStruct, isSensitive);
            default:
                Redact((Message)value, isSensitive);
                return value;
        }
    }

    private static Any RedactAny(Any any, bool isSensitive)
    {
        if (any.RawMessage is not { } raw)
        {
            return isSensitive ? new Any(any.TypeUrl, []) : any;
        }

        var copy = raw.Clone();
        return new Any(any.TypeUrl, (Message)RedactValue(copy, isSensitive), null);
    }

    /// <summary>A TypedStruct hides the fields of its type in a Struct: they are found by the type, and shown as a Struct again.</summary>
    private static Message RedactTypedStruct(Message typedStruct, bool isSensitive)
    {
        if (TypedStructs.FindType(typedStruct) == null)
        {
            Redact(typedStruct, isSensitive);
            return typedStruct;
        }

        var message = TypedStructs.Resolve(typedStruct);
        Redact(message, isSensitive);
        TypedStructs.SetValue(typedStruct, JsonDocumentReader.Read(message.ToJson(JsonWriteOptions.Compact)));
        return typedStruct;
    }
}
