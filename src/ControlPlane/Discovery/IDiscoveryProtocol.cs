using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>One stream's conversation: what to answer. Not for several threads at once.</summary>
internal interface IDiscoveryProtocol
{
    /// <summary>The type of the client's messages.</summary>
    MessageType RequestType { get; }

    /// <summary>The type of the resources in an answer.</summary>
    string TypeOf(Message answer);

    /// <summary>What to send for a request, in order.</summary>
    /// <exception cref="ProtobufException">The request breaks the protocol.</exception>
    IEnumerable<Message> Answer(Message request);

    /// <summary>What to send since the last time, in order.</summary>
    IEnumerable<Message> Push();
}
