using System.Text.Json;

namespace MeshProxy.SchemaGenerator;

/// <summary>The wire kind of a field. The first 18 values are descriptor.proto's, the rest are kinds the runtime stores apart.</summary>
internal enum FieldKind : byte
{
    Double = 1, Float = 2, Int64 = 3, UInt64 = 4, Int32 = 5, Fixed64 = 6, Fixed32 = 7, Bool = 8, String = 9,
    Message = 11, Bytes = 12, UInt32 = 13, Enum = 14, SFixed32 = 15, SFixed64 = 16, SInt32 = 17, SInt64 = 18,
    Any = 19, Duration = 20,
}

/// <summary>One field of the tables: <c>[number, type, {options}]</c> taken apart.</summary>
internal sealed class FieldModel
{
    private static readonly Dictionary<string, FieldKind> ScalarKinds = new()
    {
        ["double"] = FieldKind.Double, ["float"] = FieldKind.Float, ["int64"] = FieldKind.Int64,
        ["uint64"] = FieldKind.UInt64, ["int32"] = FieldKind.Int32, ["fixed64"] = FieldKind.Fixed64,
        ["fixed32"] = FieldKind.Fixed32, ["bool"] = FieldKind.Bool, ["string"] = FieldKind.String,
        ["bytes"] = FieldKind.Bytes, ["uint32"] = FieldKind.UInt32, ["sfixed32"] = FieldKind.SFixed32,
        ["sfixed64"] = FieldKind.SFixed64, ["sint32"] = FieldKind.SInt32, ["sint64"] = FieldKind.SInt64,
    };

    private static readonly Dictionary<string, FieldKind> WrapperKinds = new()
    {
        ["google.protobuf.DoubleValue"] = FieldKind.Double, ["google.protobuf.FloatValue"] = FieldKind.Float,
        ["google.protobuf.Int64Value"] = FieldKind.Int64, ["google.protobuf.UInt64Value"] = FieldKind.UInt64,
        ["google.protobuf.Int32Value"] = FieldKind.Int32, ["google.protobuf.UInt32Value"] = FieldKind.UInt32,
        ["google.protobuf.BoolValue"] = FieldKind.Bool, ["google.protobuf.StringValue"] = FieldKind.String,
        ["google.protobuf.BytesValue"] = FieldKind.Bytes,
    };

    private const string RequiredOneof = " (required)";

    public FieldModel(string name, JsonElement definition, Func<string, bool> isEnum)
    {
        Name = name;
        Number = definition[0].GetInt32();
        var type = definition[1].GetString()!;
        if (type.StartsWith("map<", StringComparison.Ordinal))
        {
            IsMap = true;
            var parts = type["map<".Length..^1].Split(", ");
            KeyKind = ScalarKinds[parts[0]];
            type = parts[1];
        }
        else if (type.StartsWith("repeated ", StringComparison.Ordinal))
        {
            IsRepeated = true;
            type = type["repeated ".Length..];
        }
        else if (type.StartsWith("optional ", StringComparison.Ordinal))
        {
            IsOptional = true;
            type = type["optional ".Length..];
        }

        SetKind(type, isEnum);
        if (definition.GetArrayLength() > 2)
        {
            SetOptions(definition[2]);
        }
    }

    public string Name { get; }

    public int Number { get; }

    public FieldKind Kind { get; private set; }

    public FieldKind KeyKind { get; }

    public string? TypeName { get; private set; }

    public bool IsRepeated { get; }

    public bool IsMap { get; }

    public bool IsWrapper { get; private set; }

    public bool IsOptional { get; }

    public bool IsDeprecated { get; private set; }

    public bool IsSensitive { get; private set; }

    public string? Oneof { get; private set; }

    public bool OneofIsRequired { get; private set; }

    public JsonElement? Rules { get; private set; }

    /// <summary>Whether absent and zero are different things for this field.</summary>
    public bool HasPresence =>
        !IsRepeated && !IsMap
        && (IsOptional || IsWrapper || Oneof != null || Kind is FieldKind.Message or FieldKind.Any or FieldKind.Duration);

    private void SetKind(string type, Func<string, bool> isEnum)
    {
        if (ScalarKinds.TryGetValue(type, out var scalar))
        {
            Kind = scalar;
        }
        else if (WrapperKinds.TryGetValue(type, out var wrapped))
        {
            (Kind, IsWrapper) = (wrapped, true);
        }
        else if (type == "google.protobuf.Any")
        {
            Kind = FieldKind.Any;
        }
        else if (type == "google.protobuf.Duration")
        {
            Kind = FieldKind.Duration;
        }
        else
        {
            Kind = isEnum(type) ? FieldKind.Enum : FieldKind.Message;
            TypeName = type;
        }
    }

    private void SetOptions(JsonElement options)
    {
        foreach (var option in options.EnumerateObject())
        {
            switch (option.Name)
            {
                case "oneof":
                    var oneof = option.Value.GetString()!;
                    OneofIsRequired = oneof.EndsWith(RequiredOneof, StringComparison.Ordinal);
                    Oneof = OneofIsRequired ? oneof[..^RequiredOneof.Length] : oneof;
                    break;
                case "deprecated":
                    IsDeprecated = option.Value.GetBoolean();
                    break;
                case "sensitive":
                    IsSensitive = option.Value.GetBoolean();
                    break;
                case "rules":
                    Rules = option.Value;
                    break;
                default:
                    throw new InvalidDataException($"field {Name}: option '{option.Name}' is unknown to the generator");
            }
        }
    }
}
