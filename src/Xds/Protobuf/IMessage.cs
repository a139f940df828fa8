namespace MeshProxy.Xds.Protobuf;

/// <summary>A typed wrapper: a struct over a <see cref="Protobuf.Message"/> that costs nothing to make.</summary>
public interface IMessage<T>
    where T : struct, IMessage<T>
{
    /// <summary>The type of message this wraps.</summary>
    static abstract MessageType Descriptor { get; }

    /// <summary>The message behind the wrapper.</summary>
    Message Message { get; }

    /// <summary>Wraps a message, which must be of <see cref="Descriptor"/>.</summary>
    static abstract T From(Message message);
}
