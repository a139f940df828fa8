using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Listeners;

/// <summary>One filter chain ready to serve: immutable, shared by all loops. A connection keeps the chain it began with.</summary>
public sealed class CompiledFilterChain
{
    /// <summary>What a match tree gives for a name that no chain has: not even the default chain serves.</summary>
    internal static readonly CompiledFilterChain Nowhere = new()
    {
        Name = "",
        Definition = Envoy.Config.Listener.V3.FilterChain.New().Message,
        TransportSocket = RawBufferSocketFactory.Instance,
        Filters = [],
        TransportSocketConnectTimeout = TimeSpan.Zero,
        Metadata = new DynamicMetadata(),
        Drain = new DrainState(null, DrainStrategy.Immediate, TimeSpan.Zero),
    };

    public required string Name { get; init; }

    /// <summary>As received: equal chains are kept over an update of their listener.</summary>
    public required Message Definition { get; init; }

    public required IDownstreamTransportSocketFactory TransportSocket { get; init; }

    public required IReadOnlyList<INetworkFilterConfig> Filters { get; init; }

    /// <summary>Limit of the TLS handshake; zero is none (transport_socket_connect_timeout).</summary>
    public required TimeSpan TransportSocketConnectTimeout { get; init; }

    public required DynamicMetadata Metadata { get; init; }

    /// <summary>Set when the chain is removed or its listener goes.</summary>
    public required DrainState Drain { get; init; }

    /// <summary>What the chain was compiled with; it holds what the chain follows.</summary>
    public FactoryContext? Context { get; init; }

    /// <summary>Ends what chains that serve no longer still follow: secrets, route tables, filters.</summary>
    public static void Release(IEnumerable<CompiledFilterChain> chains)
    {
        foreach (var chain in chains)
        {
            (chain.TransportSocket as IDisposable)?.Dispose();
            chain.Context?.Release();
        }
    }
}
