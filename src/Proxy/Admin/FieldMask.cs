using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Admin;

/// <summary>Cuts messages down to some fields (google.protobuf.FieldMask). Paths do not go through lists, but into a packed message.</summary>
internal sealed class FieldMask
{
    private readonly SortedDictionary<string, FieldMask> _fields = new(StringComparer.Ordinal);

    private bool IsWhole => _fields.Count == 0;

    /// <summary>Reads paths separated by commas; null for an empty text.</summary>
    public static FieldMask? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var mask = new FieldMask();
        foreach (var path in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var node = mask;
            foreach (var name in path.Split('.'))
            {
                if (!node._fields.TryGetValue(name, out var child))
                {
                    node._fields[name] = child = new FieldMask();
                }
                node = child;
            }
        }
        return mask.IsWhole ? null : mask;
    }

    /// <summary>Drops all other fields; false, with the message unchanged, when a path does not exist in it.</summary>
    public bool Trim(Message message)
    {
        if (!Fits(message))
        {
            return false;
        }
        Apply(message);
        return true;
    }

    private bool Fits(Message message)
    {
        foreach (var (name, child) in _fields)
        {
            if (message.Type.FindField(name) is not { } field)
            {
                return false;
            }
            if (child.IsWhole)
            {
                continue;
            }
            if (field.IsRepeated || field.IsMap || field.Kind is not (FieldKind.Message or FieldKind.Any))
            {
                return false;
            }
            if ((Inner(message, field) ?? Empty(field)) is { } inner && !child.Fits(inner))
            {
                return false;
            }
        }
        return true;
    }

    private void Apply(Message message)
    {
        foreach (var field in message.Type.Fields)
        {
            if (!message.Has(field))
            {
                continue;
            }
            if (!_fields.TryGetValue(field.Name, out var child))
            {
                message.Clear(field.Index);
            }
            else if (!child.IsWhole && Inner(message, field) is { } inner)
            {
                if (IsAny(field))
                {
                    inner = inner.Clone();
                    child.Apply(inner);
                    message.SetAny(field.Index, new Any(inner));
                }
                else
                {
                    child.Apply(inner);
                }
            }
        }
    }

    private static bool IsAny(FieldDescriptor field) => field.Kind == FieldKind.Any;

    private static Message? Empty(FieldDescriptor field) => field.MessageType is { } type ? new Message(type) : null;

    private static Message? Inner(Message message, FieldDescriptor field) =>
        IsAny(field) ? message.GetAny(field.Index)?.Message : message.GetMessage(field.Index);
}
