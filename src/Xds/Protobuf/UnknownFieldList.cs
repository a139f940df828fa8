using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Finds fields that came on the wire but are not declared, in a message and everything unpacked in it.</summary>
public static class UnknownFieldList
{
    /// <summary>Path of the message that holds it, and number, of each unknown field.</summary>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static IReadOnlyList<(string Path, int Number)> Of(Message message)
    {
        var found = new List<(string, int)>();
        Collect(message, "", found);
        return found;
    }

    private static void Collect(Message message, string path, List<(string, int)> found)
    {
        if (message.UnknownBytes is { } unknown)
        {
            var reader = new WireReader(unknown);
            while (!reader.AtEnd)
            {
                var tag = reader.ReadTag();
                reader.Skip(tag, 0);
                found.Add((path, (int)(tag >> 3)));
            }
        }

        for (var rest = message.Presence & message.Type.ReferenceMask; rest != 0; rest &= rest - 1)
        {
            var field = message.Type.Fields[BitOperations.TrailingZeroCount(rest)];
            if (field.Kind is FieldKind.Message or FieldKind.Any)
            {
                CollectValue(message.Reference(field.Index)!, FieldPath.Append(path, field.Name), found);
            }
        }
    }

    private static void CollectValue(object value, string path, List<(string, int)> found)
    {
        switch (value)
        {
            case Message message:
                Collect(message, path, found);
                break;
            case Any any when any.RawMessage is { } packed:
                Collect(packed, path, found);
                break;
            case RepeatedField list:
                for (var i = 0; i < list.Count; i++)
                {
                    CollectValue(list.ReferenceAt(i), FieldPath.Element(path, i), found);
                }

                break;
            case MapField { Values.IsBits: false } map:
                for (var i = 0; i < map.Count; i++)
                {
                    var key = map.Keys.IsBits ? map.Keys.BitsAt(i).ToString() : (string)map.Keys.ReferenceAt(i);
                    CollectValue(map.Values.ReferenceAt(i), FieldPath.Key(path, key), found);
                }

                break;
        }
    }
}
