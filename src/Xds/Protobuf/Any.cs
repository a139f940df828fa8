using System.Diagnostics.CodeAnalysis;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// A google.protobuf.Any: a type URL with bytes, a message, or both. What came as bytes is unpacked when first asked
/// for; what was built from a message is written when its bytes are asked for.
/// </summary>
public sealed class Any
{
    private byte[]? _bytes;
    private Message? _raw;
    private Message? _message;

    public Any(string typeUrl, byte[] value) => (TypeUrl, _bytes) = (typeUrl, value);

    public Any(Message message) => (TypeUrl, _raw) = (message.Type.TypeUrl, message);

    /// <summary>The packed message, and the effective one if that is known already; they differ for a TypedStruct.</summary>
    internal Any(string typeUrl, Message raw, Message? message) => (TypeUrl, _raw, _message) = (typeUrl, raw, message);

    public string TypeUrl { get; }

    /// <summary>The bytes of the packed message.</summary>
    public ReadOnlyMemory<byte> Value => ValueBytes;

    /// <summary>
    /// The packed message, or null if its type is unknown here. A TypedStruct whose own type is known is turned into
    /// that message, as Envoy does for extension configuration; one whose type is unknown stays a TypedStruct.
    /// </summary>
    /// <exception cref="ProtobufException">The bytes or the struct do not fit the type.</exception>
    public Message? Message
    {
        get
        {
            var known = Volatile.Read(ref _message);
            if (known != null || RawMessage is not { } raw)
            {
                return known;
            }

            var message = raw.Type.WellKnown == WellKnownType.TypedStruct ? Mapping.TypedStructs.Resolve(raw) : raw;
            return Interlocked.CompareExchange(ref _message, message, null) ?? message;
        }
    }

    /// <summary>The packed message as it was packed, a TypedStruct unchanged, or null if its type is unknown here.</summary>
    /// <exception cref="ProtobufException">The bytes are not a message of the type.</exception>
    public Message? RawMessage
    {
        get
        {
            var raw = Volatile.Read(ref _raw);
            if (raw != null || SchemaRegistry.FindByUrl(TypeUrl) is not { } type)
            {
                return raw;
            }

            var parsed = Message.Parse(type, _bytes);
            return Interlocked.CompareExchange(ref _raw, parsed, null) ?? parsed;
        }
    }

    /// <summary>Full name of the type of <see cref="Message"/>, for an unknown one the name it came with.</summary>
    public string TypeName
    {
        get
        {
            var name = SchemaRegistry.NameInUrl(TypeUrl);
            return WellKnownNames.Of(name) != WellKnownType.TypedStruct ? name
                : Mapping.TypedStructs.InnerTypeName(RawMessage!) is { Length: > 0 } inner ? inner
                : name;
        }
    }

    internal byte[] ValueBytes
    {
        get
        {
            var known = Volatile.Read(ref _bytes);
            if (known != null)
            {
                return known;
            }

            var written = _raw!.ToBytes();
            return Interlocked.CompareExchange(ref _bytes, written, null) ?? written;
        }
    }

    /// <summary>Whether <see cref="Message"/> is of a type, without unpacking it.</summary>
    public bool Is<T>()
        where T : struct, IMessage<T> => TypeName == T.Descriptor.FullName;

    /// <summary>The packed message as a type.</summary>
    /// <exception cref="ProtobufException">It is another type, or malformed.</exception>
    public T Unpack<T>()
        where T : struct, IMessage<T> =>
        TryUnpack<T>(out var message)
            ? message
            : throw new ProtobufException($"a {T.Descriptor.FullName} is expected here, not a {TypeName}");

    /// <summary>The packed message as a type, or false if it is another one.</summary>
    /// <exception cref="ProtobufException">It is malformed.</exception>
    public bool TryUnpack<T>([MaybeNullWhen(false)] out T message)
        where T : struct, IMessage<T>
    {
        var isType = Is<T>();
        message = isType ? T.From(Message!) : default;
        return isType;
    }

    /// <summary>Packs a message.</summary>
    public static Any Pack<T>(T message)
        where T : struct, IMessage<T> => new(message.Message);

    /// <summary>Whether both pack equal messages: by bytes, and where those differ by what they mean.</summary>
    public override bool Equals(object? obj) =>
        obj is Any other && TypeUrl == other.TypeUrl
        && (ReferenceEquals(_raw, other._raw) && _raw != null
            || ValueBytes.AsSpan().SequenceEqual(other.ValueBytes)
            || (SchemaRegistry.FindByUrl(TypeUrl) != null && RawMessage!.Equals(other.RawMessage)));

    /// <summary>Of the type alone: bytes of equal messages may differ.</summary>
    public override int GetHashCode() => TypeUrl.GetHashCode(StringComparison.Ordinal);
}
