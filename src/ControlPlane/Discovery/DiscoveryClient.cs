using Envoy.Config.Core.V3;
using Google.Rpc;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>The client of one stream: who it is, what it may have, and what is said of its answers.</summary>
/// <param name="source">What is served.</param>
/// <param name="onlyType">The type of the service the stream is of, or null for the aggregated one.</param>
/// <param name="proven">The identity that its connection proved, or null where none has to be proven.</param>
/// <param name="metrics">Counts refusals.</param>
/// <param name="log">Gets one sentence an event.</param>
internal sealed class DiscoveryClient(IResourceSource source, string? onlyType, string? proven, ControlPlaneMetrics metrics, Action<string> log)
{
    private Node? _node;
    private long _nonce;

    /// <summary>The node's id, for a person.</summary>
    public string Name => _node?.Id ?? "a node that did not say its name";

    /// <summary>Only the first message of a stream has to say who the node is.</summary>
    public void Introduce(Node? node) => _node ??= node;

    /// <summary>The type that a request is about.</summary>
    /// <exception cref="ProtobufException">It names none, or another than the service's.</exception>
    public string TypeOf(string typeUrl) => (typeUrl, onlyType) switch
    {
        ("", null) => throw new ProtobufException("the request names no type: set type_url"),
        ("", _) => onlyType,
        _ when onlyType is not null && onlyType != typeUrl =>
            throw new ProtobufException($"this service serves {onlyType}, not {typeUrl}: use the aggregated service"),
        _ => typeUrl,
    };

    public ResourceSet Resources(string typeUrl) => _node is { } node
        ? source.Resources(node, proven, typeUrl)
        : throw new ProtobufException("the stream's first request has no node: send it");

    public string NextNonce() => (++_nonce).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Writes down what the client said of an answer.</summary>
    /// <param name="typeUrl">The type of the answer.</param>
    /// <param name="version">Its version.</param>
    /// <param name="error">What the client refused, or null when it accepted.</param>
    public void Note(string typeUrl, string version, Status? error)
    {
        if (error is null)
        {
            log($"ACK: {Name} took {ResourceTypes.ShortName(typeUrl)} {version}.");
            return;
        }
        metrics.CountReject(typeUrl);
        log($"NACK: {Name} refused {ResourceTypes.ShortName(typeUrl)} {version}: {error.Value.MessageValue.ReplaceLineEndings(" ")}");
    }
}
