using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>A cluster of tcp_proxy with its share of connections and what narrows its endpoints.</summary>
internal sealed record TcpDestination(
    string Cluster, uint Weight, IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatch);

/// <summary>upstream_connect_mode.</summary>
internal enum TcpConnectMode
{
    Immediate,
    OnDownstreamData,
    OnDownstreamTlsHandshake,
}

/// <summary>tcp_proxy, compiled: immutable, shared by all connections of a filter chain.</summary>
internal sealed class TcpProxyConfig : INetworkFilterConfig
{
    public required StatBlock Stats { get; init; }

    /// <summary>One, or several by weight.</summary>
    public required IReadOnlyList<TcpDestination> Destinations { get; init; }

    public required uint TotalWeight { get; init; }

    /// <summary>Zero is never. Envoy's default is 1 h.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary>Zero is no limit.</summary>
    public required TimeSpan MaxDuration { get; init; }

    public required double MaxDurationJitterPercent { get; init; }

    public required uint MaxConnectAttempts { get; init; }

    public required IReadOnlyList<IAccessLog> AccessLogs { get; init; }

    /// <summary>Hears of failed connections.</summary>
    public required FailureLog Failures { get; init; }

    /// <summary>Zero writes no periodic records.</summary>
    public required TimeSpan AccessLogFlushInterval { get; init; }

    public required bool LogOnConnected { get; init; }

    public required bool LogOnStart { get; init; }

    /// <summary>Computes the hash of a connection; null when no policy is given.</summary>
    public required Func<Transport.Connection, ulong?>? Hash { get; init; }

    public required TcpConnectMode ConnectMode { get; init; }

    /// <summary>Bytes that may wait before the upstream is connected (max_early_data_bytes); null when reading waits for it.</summary>
    public required uint? MaxEarlyDataBytes { get; init; }

    /// <summary>Tunnels each connection through HTTP CONNECT or POST; null relays bytes.</summary>
    public required ITcpTunnel? Tunnel { get; init; }

    public required BackOff? ConnectBackOff { get; init; }

    public required Upstream.IClusterManager Clusters { get; init; }

    public void CreateFilter(Transport.Connection connection) => connection.AddReadFilter(new TcpProxyFilter(this));

    /// <summary>The destination of one connection; filter state envoy.tcp_proxy.cluster overrides the configuration.</summary>
    public TcpDestination Choose(StreamInfo info, ulong random)
    {
        if (info.FilterState.Get(FilterStates.FilterStateKeys.TcpProxyCluster)?.SerializeAsString() is { } named)
        {
            return new TcpDestination(named, 1, Destinations.Count == 1 ? Destinations[0].MetadataMatch : null);
        }
        if (Destinations.Count == 1)
        {
            return Destinations[0];
        }
        var selected = random % TotalWeight;
        foreach (var destination in Destinations)
        {
            if (selected < destination.Weight)
            {
                return destination;
            }
            selected -= destination.Weight;
        }
        return Destinations[^1];
    }
}

/// <summary>Exponential back-off with full jitter between connect attempts.</summary>
internal sealed record BackOff(TimeSpan Base, TimeSpan Max)
{
    /// <summary>Wait before the attempt after <paramref name="failures"/> failed ones.</summary>
    public TimeSpan Next(uint failures)
    {
        var bound = Math.Min(Max.TotalMilliseconds, Base.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30)) - 1);
        return TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * Math.Max(bound, 1));
    }
}
