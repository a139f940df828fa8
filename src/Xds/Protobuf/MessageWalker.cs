using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Visits a message, the messages in its fields, and those packed in it.</summary>
internal sealed class MessageWalker(Action<Message, PathTracker> visit, WalkOptions options)
{
    private readonly Action<Message, PathTracker> _visit = visit;
    private readonly WalkOptions _options = options;
    private readonly PathTracker _path = new();

    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static void Walk(Message root, WalkOptions options, Action<Message, PathTracker> visit) =>
        new MessageWalker(visit, options).Visit(root);

    private void Visit(Message message)
    {
        _visit(message, _path);
        for (var rest = message.Presence & message.Type.ReferenceMask; rest != 0; rest &= rest - 1)
        {
            var field = message.Type.Fields[BitOperations.TrailingZeroCount(rest)];
            if (field.Kind == FieldKind.Message ? !IsSkipped(field) : field.Kind == FieldKind.Any && _options.IntoAny)
            {
                _path.PushField(field.Name);
                VisitValue(message.Reference(field.Index)!);
                _path.Pop();
            }
        }
    }

    private bool IsSkipped(FieldDescriptor field) =>
        _options.SkipsWhatRulesSkip && field.Rules is { } rules && (rules.Skip || rules.Items?.Skip == true);

    private void VisitValue(object value)
    {
        switch (value)
        {
            case Message message:
                Visit(message);
                break;
            case Any any:
                VisitPacked(any);
                break;
            case RepeatedField list:
                for (var i = 0; i < list.Count; i++)
                {
                    _path.PushElement(i);
                    VisitValue(list.ReferenceAt(i));
                    _path.Pop();
                }

                break;
            case MapField map:
                for (var i = 0; i < map.Count; i++)
                {
                    _path.PushKey(map.Keys.IsBits ? map.Keys.BitsAt(i).ToString() : (string)map.Keys.ReferenceAt(i));
                    VisitValue(map.Values.ReferenceAt(i));
                    _path.Pop();
                }

                break;
        }
    }

    private void VisitPacked(Any any)
    {
        Message? packed;
        try
        {
            packed = _options.ResolvesTypedStructs ? any.Message : any.RawMessage;
        }
        catch (ProtobufException error)
        {
            throw _path.Refuse(error.Message);
        }

        if (packed != null)
        {
            Visit(packed);
        }
    }
}
