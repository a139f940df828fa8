using System.IO.Hashing;
using System.Net;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>Compiles envoy.filters.network.tcp_proxy.</summary>
internal sealed class TcpProxyFactory : INetworkFilterFactory
{
    /// <summary>Envoy's default of idle_timeout.</summary>
    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromHours(1);

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.tcp_proxy";

    public bool IsTerminal(Message config) => true;

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        if (config.OnDemandValue is not null)
        {
            throw new ConfigurationException("tcp_proxy.on_demand: discovery of clusters on demand is not supported; name clusters that CDS brings.");
        }
        Check(config);
        var destinations = Destinations(config);
        var options = config.AccessLogOptions;
        return new TcpProxyConfig
        {
            Stats = context.ServerScope.Scope($"tcp.{config.StatPrefix}").Block(TcpProxyStat.Layout),
            Destinations = destinations,
            TotalWeight = TotalWeight(destinations),
            IdleTimeout = config.IdleTimeout ?? DefaultIdleTimeout,
            MaxDuration = config.MaxDownstreamConnectionDuration ?? TimeSpan.Zero,
            MaxDurationJitterPercent = config.MaxDownstreamConnectionDurationJitterPercentage?.Value ?? 0,
            MaxConnectAttempts = config.MaxConnectAttempts ?? 1,
            AccessLogs = AccessLogCompiler.Compile(config.AccessLog, context),
            Failures = FailureLog.Of(context.Singletons),
            AccessLogFlushInterval = options?.AccessLogFlushInterval ?? config.AccessLogFlushInterval ?? TimeSpan.Zero,
            LogOnConnected = options?.FlushAccessLogOnConnected ?? config.FlushAccessLogOnConnected,
            LogOnStart = options?.FlushAccessLogOnStart ?? false,
            Hash = HashPolicy(config),
            ConnectMode = (TcpConnectMode)config.UpstreamConnectMode,
            MaxEarlyDataBytes = config.MaxEarlyDataBytes,
            Tunnel = config.TunnelingConfigValue is { } tunneling ? HttpTunnel.Compile(tunneling) : null,
            ConnectBackOff = config.BackoffOptions is { } backOff
                ? new BackOff(backOff.BaseInterval ?? TimeSpan.Zero, backOff.MaxInterval ?? (backOff.BaseInterval ?? TimeSpan.Zero) * 10)
                : null,
            Clusters = context.Clusters,
        };
    }

    private static void Check(Config config)
    {
        if (config.AccessLogOptions is not null && config.FlushAccessLogOnConnected)
        {
            throw new ConfigurationException("tcp_proxy: Only one of flush_access_log_on_connected or access_log_options can be specified; remove one.");
        }
        if (config.AccessLogOptions is not null && config.AccessLogFlushInterval is not null)
        {
            throw new ConfigurationException("tcp_proxy: Only one of access_log_flush_interval or access_log_options can be specified; remove one.");
        }
        if ((TcpConnectMode)config.UpstreamConnectMode == TcpConnectMode.OnDownstreamData && config.MaxEarlyDataBytes is null)
        {
            throw new ConfigurationException("tcp_proxy: max_early_data_bytes must be set when upstream_connect_mode is ON_DOWNSTREAM_DATA.");
        }
        if (config.BackoffOptions is { BaseInterval: { } basis, MaxInterval: { } max } && max < basis)
        {
            throw new ConfigurationException("tcp_proxy.backoff_options: max_interval must be greater or equal to base_interval; raise it.");
        }
    }

    private static List<TcpDestination> Destinations(Config config)
    {
        var shared = Criteria(config.MetadataMatch);
        if (config.WeightedClusters is not { } weighted)
        {
            return [new TcpDestination(config.Cluster, 1, shared)];
        }
        var destinations = new List<TcpDestination>();
        foreach (var cluster in weighted.Clusters)
        {
            var own = Criteria(cluster.MetadataMatch);
            destinations.Add(new TcpDestination(cluster.Name, cluster.Weight, Merge(shared, own)));
        }
        return destinations;
    }

    private static uint TotalWeight(List<TcpDestination> destinations)
    {
        ulong total = 0;
        foreach (var destination in destinations)
        {
            total += destination.Weight;
        }
        if (total > uint.MaxValue)
        {
            throw new ConfigurationException(
                $"tcp_proxy.weighted_clusters: the sum of weights of all upstream clusters exceeds {uint.MaxValue}; lower them.");
        }
        return (uint)total;
    }

    private static IReadOnlyList<KeyValuePair<string, MetadataValue>>? Criteria(Envoy.Config.Core.V3.Metadata? match) =>
        MetadataConversion.ToMetadata(match).Get("envoy.lb") is { } fields
            ? [.. fields.OrderBy(pair => pair.Key, StringComparer.Ordinal)]
            : null;

    // The cluster's own value wins over the filter's.
    private static IReadOnlyList<KeyValuePair<string, MetadataValue>>? Merge(
        IReadOnlyList<KeyValuePair<string, MetadataValue>>? shared, IReadOnlyList<KeyValuePair<string, MetadataValue>>? own)
    {
        if (shared is null || own is null)
        {
            return own ?? shared;
        }
        var merged = new SortedDictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var (key, value) in shared.Concat(own))
        {
            merged[key] = value;
        }
        return [.. merged];
    }

    private static Func<Connection, ulong?>? HashPolicy(Config config)
    {
        if (config.HashPolicy.Count == 0)
        {
            return null;
        }
        var policy = config.HashPolicy[0];
        if (policy.FilterStateValue is { } state)
        {
            return connection => connection.StreamInfo.FilterState.Get(state.Key) is { Hashable: true } found
                && found.SerializeAsString() is { } text
                ? XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text))
                : null;
        }
        return connection => connection.Info.RemoteAddress is IPEndPoint ip ? XxHash64.HashToUInt64(Encoding.ASCII.GetBytes(ip.Address.ToString())) : null;
    }
}
