using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Validation;

/// <summary>The rules of one message's own fields; messages in it are others' turn.</summary>
internal readonly struct MessageRules(Message message, PathTracker path, List<Violation> violations)
{
    private readonly Message _message = message;
    private readonly PathTracker _path = path;
    private readonly List<Violation> _violations = violations;

    public void Check()
    {
        foreach (var oneof in _message.Type.Oneofs)
        {
            if (oneof.IsRequired && (_message.Presence & oneof.Mask) == 0)
            {
                Add(FieldPath.Append(_path.ToString(), oneof.Name), $"one of its fields must be set ({NamesOf(oneof)})");
            }
        }

        foreach (var field in _message.Type.Fields)
        {
            if (field.Kind == FieldKind.Duration)
            {
                CheckNotNegative(field);
            }

            if (field.Rules is { } rules)
            {
                CheckField(field, rules);
            }
        }
    }

    private string NamesOf(OneofDescriptor oneof)
    {
        var names = new List<string>();
        foreach (var field in _message.Type.Fields)
        {
            if ((oneof.Mask & field.Bit) != 0)
            {
                names.Add(field.Name);
            }
        }

        return string.Join(", ", names);
    }

    /// <summary>No configuration of Envoy's takes a negative duration: those without a rule are refused where they are read.</summary>
    private void CheckNotNegative(FieldDescriptor field)
    {
        if (!field.IsReference && _message.GetInt64(field.Index) < 0)
        {
            Add(field, "a duration cannot be negative");
        }
    }

    private void CheckField(FieldDescriptor field, FieldRules rules)
    {
        if (field.IsMap)
        {
            CheckMap(field, rules);
        }
        else if (field.IsRepeated)
        {
            CheckList(field, rules);
        }
        else if (field.HasPresence && !_message.Has(field))
        {
            if (rules.Required && field.OneofIndex < 0)
            {
                Add(field, "must be set");
            }
        }
        else if (field.IsBits)
        {
            Report(field, ScalarRules.Check(field, rules, _message.Bits(field.Index)));
        }
        else if (field.Kind is FieldKind.String or FieldKind.Bytes)
        {
            Report(field, TextRules.Check(rules, _message.Reference(field.Index) ?? EmptyOf(field)));
        }
    }

    private static object EmptyOf(FieldDescriptor field) =>
        field.Kind == FieldKind.String ? "" : Array.Empty<byte>();

    private void CheckList(FieldDescriptor field, FieldRules rules)
    {
        var list = (RepeatedField?)_message.Reference(field.Index);
        CheckCount(field, rules, list?.Count ?? 0, "items");
        if (list == null)
        {
            return;
        }

        if (rules.Unique && HasDuplicates(list))
        {
            Add(field, "its items must differ from each other");
        }

        if (rules.Items is { } items)
        {
            CheckElements(list, field, items, field.Kind, static (path, i, _) => FieldPath.Element(path, i), null);
        }
    }

    private void CheckMap(FieldDescriptor field, FieldRules rules)
    {
        var map = (MapField?)_message.Reference(field.Index);
        CheckCount(field, rules, map?.Count ?? 0, "entries");
        if (map == null)
        {
            return;
        }

        if (rules.Keys is { } keys)
        {
            CheckElements(map.Keys, field, keys, field.KeyKind, KeyPath, map);
        }

        if (rules.Values is { } values)
        {
            CheckElements(map.Values, field, values, field.Kind, KeyPath, map);
        }
    }

    private static string KeyPath(string path, int i, MapField? map) =>
        FieldPath.Key(path, map!.Keys.IsBits ? map.Keys.BitsAt(i).ToString() : (string)map.Keys.ReferenceAt(i));

    private void CheckElements(
        RepeatedField list, FieldDescriptor field, FieldRules rules, FieldKind kind, Func<string, int, MapField?, string> pathOf,
        MapField? map)
    {
        for (var i = 0; i < list.Count; i++)
        {
            var broken = list.IsBits ? ScalarRules.Check(field, rules, list.BitsAt(i))
                : kind is FieldKind.String or FieldKind.Bytes ? TextRules.Check(rules, list.ReferenceAt(i))
                : null;
            if (broken != null)
            {
                Add(pathOf(FieldPath.Append(_path.ToString(), field.Name), i, map), broken);
            }
        }
    }

    private void CheckCount(FieldDescriptor field, FieldRules rules, int count, string noun)
    {
        if (rules.IgnoreEmpty && count == 0)
        {
            return;
        }

        if (count < rules.MinimumItems)
        {
            Add(field, $"must have at least {rules.MinimumItems} {noun}");
        }
        else if (count > rules.MaximumItems)
        {
            Add(field, $"must have at most {rules.MaximumItems} {noun}, it has {count}");
        }
    }

    private static bool HasDuplicates(RepeatedField list)
    {
        var seen = new HashSet<object>(list.Count);
        for (var i = 0; i < list.Count; i++)
        {
            if (!seen.Add(list.IsBits ? list.BitsAt(i) : list.ReferenceAt(i)))
            {
                return true;
            }
        }

        return false;
    }

    private void Report(FieldDescriptor field, string? broken)
    {
        if (broken != null)
        {
            Add(field, broken);
        }
    }

    private void Add(FieldDescriptor field, string rule) => Add(FieldPath.Append(_path.ToString(), field.Name), rule);

    private void Add(string path, string rule) => _violations.Add(new Violation(path, rule));
}
