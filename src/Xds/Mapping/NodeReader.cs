using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>
/// Makes messages of nodes by the proto3 JSON mapping with the leniencies of the reader Envoy uses: enum names in any
/// case, one value for a list of one, objects where a well-known type has a text form.
/// </summary>
internal sealed class NodeReader(JsonReadOptions options)
{
    private const string TypeMember = "@type";
    private const string ValueMember = "value";

    private readonly JsonReadOptions _options = options;
    private readonly PathTracker _path = new();

    /// <exception cref="ProtobufException">The node does not fit the type; the message names the field.</exception>
    public static Message Read(ConfigNode node, MessageType type, JsonReadOptions options) =>
        new NodeReader(options).ReadMessage(node, type);

    private Message ReadMessage(ConfigNode node, MessageType type)
    {
        switch (type.WellKnown)
        {
            case WellKnownType.Struct:
                return ReadStruct(node, type);
            case WellKnownType.Value:
                return StructValues.FromNode(node);
            case WellKnownType.ListValue:
                return ReadListValue(node);
            case WellKnownType.Timestamp when node.Kind != NodeKind.Object:
                return JsonText.ParseTimestamp(TextOf(node, "a time such as \"2026-01-31T12:00:00Z\""))
                    ?? throw _path.Refuse($"{node.Describe()} is not a time such as \"2026-01-31T12:00:00Z\"");
            case WellKnownType.FieldMask when node.Kind != NodeKind.Object:
                return ReadFieldMask(node, type);
            case WellKnownType.Wrapper or WellKnownType.Duration when node.Kind != NodeKind.Object:
                return ReadBoxed(node, type);
            default:
                return ReadFields(node, type, skipped: null);
        }
    }

    private Message ReadFields(ConfigNode node, MessageType type, string? skipped)
    {
        if (node.Kind != NodeKind.Object)
        {
            throw _path.Refuse($"{node.Describe()} stands where an object ({type.FullName}) is expected");
        }

        if (_path.Depth > 2 * MessageParser.MaximumDepth)
        {
            throw _path.Refuse("messages are nested too deeply");
        }

        var message = new Message(type);
        foreach (var (name, value) in node.Members)
        {
            if (name == skipped)
            {
                continue;
            }

            _path.PushField(name);
            ReadMember(message, name, value);
            _path.Pop();
        }

        return message;
    }

    private void ReadMember(Message message, string name, ConfigNode value)
    {
        if (message.Type.FindField(name) is not { } field)
        {
            ReportUnknown(message.Type, name);
            return;
        }

        // null is an absent field, except where null is a value of its own.
        if (value.Kind == NodeKind.Null && !TakesNull(field))
        {
            return;
        }

        RefuseSecondOfOneof(message, field);
        if (field.IsMap)
        {
            ReadMap(message, field, value);
        }
        else if (field.IsRepeated)
        {
            ReadList(message, field, value);
        }
        else
        {
            ReadSingle(message, field, value);
        }
    }

    private void ReportUnknown(MessageType type, string name)
    {
        var report = _options.OnUnknownField;
        if (report == null)
        {
            throw _path.Refuse(type.RemovedFields.Contains(name)
                ? $"the field {name} was removed from {type.FullName}: use its successor"
                : $"there is no field {name} in {type.FullName}: correct the name, or allow unknown fields");
        }

        report(_path.ToString());
    }

    private static bool TakesNull(FieldDescriptor field) =>
        field.MessageType?.WellKnown == WellKnownType.Value || field.EnumType?.FullName == "google.protobuf.NullValue";

    private void RefuseSecondOfOneof(Message message, FieldDescriptor field)
    {
        if (field.OneofIndex < 0)
        {
            return;
        }

        var oneof = message.Type.Oneofs[field.OneofIndex];
        if ((message.Presence & oneof.Mask & ~field.Bit) != 0)
        {
            throw _path.Refuse($"only one field of {oneof.Name} can be set, another one is set already");
        }
    }

    private void ReadList(Message message, FieldDescriptor field, ConfigNode value)
    {
        if (value.Kind != NodeKind.List)
        {
            AddElement(message.MutableRepeated(field.Index), field, value);
            return;
        }

        if (value.Items.Count == 0)
        {
            return;
        }

        var elements = message.MutableRepeated(field.Index);
        elements.EnsureCapacity(elements.Count + value.Items.Count);
        for (var i = 0; i < value.Items.Count; i++)
        {
            _path.PushElement(i);
            AddElement(elements, field, value.Items[i]);
            _path.Pop();
        }
    }

    private void AddElement(RepeatedField elements, FieldDescriptor field, ConfigNode value)
    {
        if (value.Kind == NodeKind.Null && !TakesNull(field))
        {
            throw _path.Refuse("null cannot be an element of a list");
        }

        if (field.IsBits)
        {
            elements.Add(ReadBits(field, value));
        }
        else
        {
            elements.Add(ReadReference(field, value));
        }
    }

    private void ReadMap(Message message, FieldDescriptor field, ConfigNode value)
    {
        if (value.Kind != NodeKind.Object)
        {
            throw _path.Refuse($"{value.Describe()} stands where a map is expected");
        }

        foreach (var (key, item) in value.Members)
        {
            _path.PushKey(key);
            if (item.Kind == NodeKind.Null && !TakesNull(field))
            {
                throw _path.Refuse("null cannot be a value of a map");
            }

            ReadEntry(message.MutableMap(field.Index), field, key, item);
            _path.Pop();
        }
    }

    private void ReadEntry(MapField map, FieldDescriptor field, string key, ConfigNode item)
    {
        var keyBits = map.Keys.IsBits ? ReadNumberKey(field, key) : 0;
        var position = map.Keys.IsBits ? map.IndexOf(keyBits) : map.IndexOf(key);
        if (position >= 0)
        {
            throw _path.Refuse("the key occurs twice");
        }

        if (map.Keys.IsBits)
        {
            map.Keys.Add(keyBits);
        }
        else
        {
            map.AddKey(key);
        }

        if (field.IsBits)
        {
            map.Values.Add(ReadBits(field, item));
        }
        else
        {
            map.Values.Add(ReadReference(field, item));
        }
    }

    private ulong ReadNumberKey(FieldDescriptor field, string key)
    {
        if (field.KeyKind == FieldKind.Bool)
        {
            return key == "true" ? 1UL : key == "false" ? 0UL : throw _path.Refuse("a key must be \"true\" or \"false\"");
        }

        return JsonNumbers.ReadInteger(ConfigNode.OfText(key), field.KeyKind, _path);
    }

    private void ReadSingle(Message message, FieldDescriptor field, ConfigNode value)
    {
        if (field.IsBits)
        {
            var bits = ReadBits(field, value);
            if (bits == 0 && !field.HasPresence)
            {
                message.Clear(field.Index);
            }
            else
            {
                message.SetBits(field.Index, bits);
            }

            return;
        }

        var reference = ReadReference(field, value);
        if (reference is Message part && message.GetMessage(field.Index) is { } existing)
        {
            // A message given under both spellings of its name is the merge of both.
            existing.MergeFrom(part);
        }
        else if (!field.HasPresence && reference is "" or byte[] { Length: 0 })
        {
            message.Clear(field.Index);
        }
        else
        {
            message.SetReference(field.Index, reference);
        }
    }

    private object ReadReference(FieldDescriptor field, ConfigNode value)
    {
        if (field.IsWrapper)
        {
            if (IsEmptyObject(value))
            {
                return field.Kind == FieldKind.String ? "" : Array.Empty<byte>();
            }

            value = Unboxed(value);
        }

        return field.Kind switch
        {
            FieldKind.String => TextOf(value, "text"),
            FieldKind.Bytes => JsonText.ParseBytes(TextOf(value, "base64 text"))
                ?? throw _path.Refuse($"{value.Describe()} is not base64"),
            FieldKind.Any => ReadAny(value),
            _ => ReadMessage(value, field.MessageType!),
        };
    }

    private ulong ReadBits(FieldDescriptor field, ConfigNode value)
    {
        if (field.IsWrapper)
        {
            if (IsEmptyObject(value))
            {
                return 0;
            }

            value = Unboxed(value);
        }

        return field.Kind switch
        {
            FieldKind.Bool => JsonNumbers.ReadBool(value, _path),
            FieldKind.Double or FieldKind.Float => JsonNumbers.ReadFloat(value, field.Kind, _path),
            FieldKind.Enum => JsonNumbers.ReadEnum(value, field.EnumType!, _options, _path),
            FieldKind.Duration => ReadDuration(value),
            _ => JsonNumbers.ReadInteger(value, field.Kind, _path),
        };
    }

    /// <summary>A wrapper may be written as the object it is.</summary>
    private static ConfigNode Unboxed(ConfigNode value) =>
        value is { Kind: NodeKind.Object, Members: [{ Key: ValueMember, Value: var inner }] } ? inner : value;

    private static bool IsEmptyObject(ConfigNode value) => value is { Kind: NodeKind.Object, Members.Count: 0 };

    private ulong ReadDuration(ConfigNode value)
    {
        if (value.Kind == NodeKind.Object)
        {
            var parts = ReadFields(value, WellKnownTypes.Duration, skipped: null);
            return (ulong)Durations.FromParts(parts.GetInt64(0), parts.GetInt32(1));
        }

        const string Expected = "a duration such as \"1.5s\"";
        return (ulong)(JsonText.ParseDuration(TextOf(value, Expected))
            ?? throw _path.Refuse($"{value.Describe()} is not {Expected} (seconds, at most nine decimals, ending in s)"));
    }

    private string TextOf(ConfigNode value, string expected) =>
        value.Kind == NodeKind.Text ? value.Text : throw _path.Refuse($"{value.Describe()} stands where {expected} is expected");

    private Any ReadAny(ConfigNode value)
    {
        if (value.Kind != NodeKind.Object)
        {
            throw _path.Refuse($"{value.Describe()} stands where an object with @type is expected");
        }

        if (value.Find(TypeMember) is not { Kind: NodeKind.Text } url)
        {
            return value.Members.Count == 0
                ? new Any("", [])
                : throw _path.Refuse("@type is missing: it names the type of the configuration");
        }

        if (SchemaRegistry.FindByUrl(url.Text) is not { } type)
        {
            return _options.KeepsUnknownTypes
                ? new Any(url.Text, [])
                : throw _path.Refuse($"the type {url.Text} is unknown: correct @type");
        }

        var message = HasValueMember(type.WellKnown)
            ? ReadValueMember(value, type)
            : ReadFields(value, type, skipped: TypeMember);
        return type.WellKnown == WellKnownType.TypedStruct
            ? new Any(url.Text, message, ResolveTypedStruct(message))
            : new Any(url.Text, message, message);
    }

    private static bool HasValueMember(WellKnownType type) =>
        type is not (WellKnownType.None or WellKnownType.TypedStruct or WellKnownType.Empty);

    private Message ReadValueMember(ConfigNode any, MessageType type)
    {
        foreach (var (name, _) in any.Members)
        {
            if (name is not (TypeMember or ValueMember))
            {
                _path.PushField(name);
                ReportUnknown(type, name);
                _path.Pop();
            }
        }

        _path.PushField(ValueMember);
        var message = any.Find(ValueMember) is { } value ? ReadMessage(value, type) : new Message(type);
        _path.Pop();
        return message;
    }

    private Message ResolveTypedStruct(Message typedStruct)
    {
        _path.PushField(ValueMember);
        var resolved = TypedStructs.FindType(typedStruct) is { } type
            ? ReadMessage(TypedStructs.ValueOf(typedStruct), type)
            : typedStruct;
        _path.Pop();
        return resolved;
    }

    private Message ReadStruct(ConfigNode node, MessageType type) =>
        node.Kind == NodeKind.Object
            ? StructValues.StructFromNode(node)
            : throw _path.Refuse($"{node.Describe()} stands where an object ({type.FullName}) is expected");

    private Message ReadListValue(ConfigNode node) =>
        node.Kind == NodeKind.List
            ? StructValues.ListFromNode(node)
            : throw _path.Refuse($"{node.Describe()} stands where a list is expected");

    private Message ReadFieldMask(ConfigNode node, MessageType type)
    {
        var mask = new Message(type);
        foreach (var path in TextOf(node, "field names separated by commas").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            mask.MutableRepeated(0).Add(JsonText.ToSnakeCase(path));
        }

        return mask;
    }

    /// <summary>A wrapper or a Duration as a message of its own, which happens in an Any.</summary>
    private Message ReadBoxed(ConfigNode node, MessageType type)
    {
        var message = new Message(type);
        if (type.WellKnown == WellKnownType.Duration)
        {
            var (seconds, nanoseconds) = Math.DivRem((long)ReadDuration(node), Durations.NanosecondsPerSecond);
            message.SetInt64(0, seconds);
            message.SetInt32(1, (int)nanoseconds);
        }
        else if (node.Kind != NodeKind.Null)
        {
            ReadSingle(message, type.Fields[0], node);
        }

        return message;
    }
}
