using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream;

/// <summary>What the rest of the proxy knows of a cluster (Envoy's ClusterInfo + ThreadLocalCluster). Safe from any loop; pools are the calling loop's.</summary>
public interface ICluster
{
    string Name { get; }

    /// <summary>The runtime's key that takes a share of the cluster's requests out of service: `upstream.maintenance_mode.name`.</summary>
    string MaintenanceModeKey { get; }

    /// <summary>alt_stat_name, or the name: in logs and metrics.</summary>
    string ObservabilityName { get; }

    /// <summary>The message it came from (metadata, typed options, config_dump).</summary>
    Cluster Definition { get; }

    DynamicMetadata Metadata { get; }

    /// <summary>`cluster.name.`: response codes and what filters count.</summary>
    IStatsScope Stats { get; }

    /// <summary>The fixed statistics, by <see cref="ClusterStat"/>.</summary>
    StatBlock Traffic { get; }

    /// <summary>track_cluster_stats (and the old track_timeout_budgets).</summary>
    TrackedStats Tracked { get; }

    ResourceManager Resources(RoutingPriority priority);

    uint PerConnectionBufferLimitBytes { get; }

    uint MaxResponseHeadersKb { get; }

    uint MaxResponseHeadersCount { get; }

    /// <summary>Typed upstream HTTP options compiled from HttpProtocolOptions.</summary>
    UpstreamHttpOptions HttpOptions { get; }

    /// <summary>The cluster was removed or replaced by CDS: finish what runs, start nothing.</summary>
    bool Removed { get; }

    /// <summary>Chooses a host without a pool (tcp, logical decisions); null when none is available.</summary>
    HostChoice ChooseHost(ILoadBalancerContext? context);

    /// <summary>The HTTP pool of the calling loop for the host, protocol and transport options; null when the host cannot be used.</summary>
    IHttpConnectionPool? HttpPool(Host host, RoutingPriority priority, HttpProtocol? downstreamProtocol, ILoadBalancerContext? context);

    ITcpConnectionPool? TcpPool(Host host, RoutingPriority priority, ILoadBalancerContext? context);

    /// <summary>How many endpoints there are, of all priorities.</summary>
    ClusterMembers Members { get; }

    /// <summary>Draws drop_overloads of the load assignment.</summary>
    DropDecision DropOverload();
}

/// <summary>Endpoints of a cluster by health.</summary>
public readonly record struct ClusterMembers(int Total, int Healthy, int Degraded);

/// <summary>What drop_overloads says of one request.</summary>
/// <param name="Category">Null when the request goes on.</param>
/// <param name="Unconditional">Everything is dropped: flag UDO instead of DO.</param>
public readonly record struct DropDecision(string? Category, bool Unconditional);

/// <summary>core.v3.RoutingPriority.</summary>
public enum RoutingPriority
{
    Default,
    High,
}

/// <param name="Host">Null when none is available.</param>
/// <param name="Details">Reason for logs when there is none; empty otherwise.</param>
public readonly record struct HostChoice(Host? Host, string Details = "");

/// <summary>What a load balancer may ask of the request (Envoy's LoadBalancerContext).</summary>
public interface ILoadBalancerContext
{
    /// <summary>Hash of the route's hash policy; null if there is none.</summary>
    ulong? ComputeHashKey();

    /// <summary>envoy.lb criteria sorted by key; null if none.</summary>
    IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria { get; }

    Connection? DownstreamConnection { get; }

    HeaderMap? DownstreamHeaders { get; }

    StreamInfo? RequestStreamInfo { get; }

    /// <summary>Retry host predicates: true to choose again.</summary>
    bool ShouldSelectAnotherHost(Host host);

    uint HostSelectionRetryCount { get; }

    /// <summary>Retry priority plugin's view of the load; null to leave it.</summary>
    IRetryPriority? RetryPriority { get; }

    TransportSocketOptions? UpstreamTransportSocketOptions { get; }

    (string Address, bool Strict)? OverrideHostToSelect { get; }
}

/// <summary>Replaces the load of priorities for one attempt (previous_priorities).</summary>
public interface IRetryPriority
{
    PriorityLoad DetermineLoad(IReadOnlyList<PriorityHealth> priorities, PriorityLoad original);

    void OnHostAttempted(Host host);
}

/// <summary>Per-priority load in percent.</summary>
public sealed record PriorityLoad(IReadOnlyList<uint> Healthy, IReadOnlyList<uint> Degraded);

/// <summary>Host counts of one priority.</summary>
public sealed record PriorityHealth(int Hosts, int Healthy, int Degraded, int Excluded);

/// <summary>Why a pool could not give a stream or connection (Envoy's PoolFailureReason).</summary>
public enum PoolFailureReason
{
    Overflow,
    LocalConnectionFailure,
    RemoteConnectionFailure,
    Timeout,
}

public interface IHttpPoolCallbacks
{
    void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host);

    void OnPoolReady(IRequestEncoder encoder, Host host, UpstreamInfo upstream, HttpProtocol protocol);
}

/// <summary>HTTP connections of one loop to one host.</summary>
public interface IHttpConnectionPool
{
    Host Host { get; }

    /// <summary>Asks for a stream. Callbacks may come before this returns (then null); otherwise the handle cancels.</summary>
    IPoolCancellable? NewStream(IResponseDecoder decoder, IHttpPoolCallbacks callbacks, bool canUseEarlyData = false);

    bool HasActiveConnections { get; }
}

public interface IPoolCancellable
{
    /// <param name="closeExcess">Also drop a connection that was opened for this request alone.</param>
    void Cancel(bool closeExcess);
}

public interface ITcpPoolCallbacks
{
    void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host);

    void OnPoolReady(ITcpConnectionData connection, Host host);
}

/// <summary>A TCP connection taken from a pool; given back (or closed) by disposing.</summary>
public interface ITcpConnectionData : IDisposable
{
    Connection Connection { get; }

    void AddUpstreamCallbacks(ITcpUpstreamCallbacks callbacks);
}

public interface ITcpUpstreamCallbacks : IConnectionCallbacks
{
    void OnUpstreamData(ByteBuffer data, bool endStream);
}

public interface ITcpConnectionPool
{
    Host Host { get; }

    IPoolCancellable? NewConnection(ITcpPoolCallbacks callbacks);
}

/// <summary>All clusters, for the data path (Envoy's ClusterManager).</summary>
public interface IClusterManager
{
    /// <summary>A cluster that takes traffic; null when unknown or not yet warm.</summary>
    ICluster? Get(string name);

    /// <summary>Tells when a cluster appears or goes, for filters that hold one.</summary>
    event Action<string>? ClusterChanged;

    /// <summary>An HTTP client on the cluster for the proxy's own calls (ext_authz, JWKS, gRPC services): see AsyncClient.</summary>
    IAsyncHttpClient? AsyncClient(string cluster);
}
