using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Where a mux speaks, and as whom.</summary>
internal sealed record MuxSettings
{
    public required IDiscoveryStreams Streams { get; init; }

    /// <summary>`/service/method`.</summary>
    public required string Method { get; init; }

    public required Node Node { get; init; }

    /// <summary>set_node_on_first_message_only.</summary>
    public required bool NodeOnFirstOnly { get; init; }

    public required ResourceDecoder Decoder { get; init; }

    public required EventLoop Loop { get; init; }

    /// <summary>`control_plane.` goes under it.</summary>
    public required IStatsScope Scope { get; init; }

    public Logger? Log { get; init; }
}
