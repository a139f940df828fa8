using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Finds set fields out of a choice, in a message and everything packed in it.</summary>
public static class PresentFields
{
    /// <param name="message">Where to look.</param>
    /// <param name="chosen">The fields of a type to look for: bit i is the field of index i.</param>
    /// <param name="found">Hears of each, with its path.</param>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static void Visit(Message message, Func<MessageType, ulong> chosen, Action<FieldDescriptor, string> found)
    {
        var options = new WalkOptions(IntoAny: true, ResolvesTypedStructs: true);
        MessageWalker.Walk(message, options, (part, path) =>
        {
            for (var rest = part.Presence & chosen(part.Type); rest != 0; rest &= rest - 1)
            {
                var field = part.Type.Fields[BitOperations.TrailingZeroCount(rest)];
                found(field, FieldPath.Append(path.ToString(), field.Name));
            }
        });
    }
}
