namespace MeshProxy.Xds.Protobuf;

/// <summary>Finds fields that came on the wire but are not declared, in a message and everything packed in it.</summary>
public static class UnknownFieldList
{
    /// <summary>Path of the message that holds it, and number, of each unknown field.</summary>
    /// <param name="message">Where to look.</param>
    /// <param name="intoAny">Whether packed messages of known types are looked into.</param>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static IReadOnlyList<(string Path, int Number)> Of(Message message, bool intoAny = true)
    {
        var found = new List<(string, int)>();
        MessageWalker.Walk(message, new WalkOptions(intoAny), (part, path) => Collect(part, path, found));
        return found;
    }

    private static void Collect(Message message, PathTracker path, List<(string, int)> found)
    {
        if (message.UnknownBytes is not { } unknown)
        {
            return;
        }

        var reader = new WireReader(unknown);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            reader.Skip(tag, 0);
            found.Add((path.ToString(), (int)(tag >> 3)));
        }
    }
}
