using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching;

/// <summary>What the inputs of a match tree may look at; headers are null where there are none (TCP, not yet come).</summary>
public readonly record struct MatchContext(StreamInfo StreamInfo)
{
    public HeaderMap? RequestHeaders { get; init; }

    public HeaderMap? RequestTrailers { get; init; }

    public HeaderMap? ResponseHeaders { get; init; }

    public HeaderMap? ResponseTrailers { get; init; }

    public bool IsLocalReply { get; init; }
}
