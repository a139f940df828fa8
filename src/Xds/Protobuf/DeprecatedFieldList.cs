using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Finds set fields that the interface declares deprecated, in a message and everything packed in it.</summary>
public static class DeprecatedFieldList
{
    /// <summary>Paths of the fields, in order.</summary>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static IReadOnlyList<string> Of(Message message)
    {
        var found = new List<string>();
        var options = new WalkOptions(IntoAny: true, ResolvesTypedStructs: true);
        MessageWalker.Walk(message, options, (part, path) => Collect(part, path, found));
        return found;
    }

    private static void Collect(Message message, PathTracker path, List<string> found)
    {
        for (var rest = message.Presence; rest != 0; rest &= rest - 1)
        {
            var field = message.Type.Fields[BitOperations.TrailingZeroCount(rest)];
            if (field.IsDeprecated)
            {
                found.Add(FieldPath.Append(path.ToString(), field.Name));
            }
        }
    }
}
