using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Extensions.Upstreams.Tcp.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Pools;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Upstream;

/// <summary>The facts of a cluster that do not change while it lives, compiled from its message.</summary>
internal sealed class ClusterInfo
{
    private const string TcpOptionsName = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions";

    // Envoy's defaults: Cluster.connect_timeout, per_connection_buffer_limit_bytes, max_headers_count, max_response_headers_kb.
    private static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(5);
    private const uint DefaultBufferLimit = 1024 * 1024;
    private const uint DefaultMaxHeadersCount = 100;
    private const uint DefaultMaxHeadersKb = 60;

    // TcpProtocolOptions.idle_timeout.
    private static readonly TimeSpan DefaultTcpIdleTimeout = TimeSpan.FromMinutes(10);

    private readonly SourceAddresses _sourceAddresses;
    private readonly INetworkFilterConfig[] _networkFilters;
    private DynamicMetadata? _metadata;

    public ClusterInfo(Cluster definition, ClusterEnvironment environment, InitManager init)
    {
        Definition = definition;
        Name = definition.Name;
        ObservabilityName = definition.AltStatName.Length > 0 ? definition.AltStatName : definition.Name;
        Stats = environment.Stats.Scope("cluster." + StatName(ObservabilityName), StatsMatcherOf(definition));
        Traffic = Stats.Block(ClusterStats.Layout);
        var context = environment.ContextFor(Stats, init);
        ConnectTimeout = definition.ConnectTimeout ?? DefaultConnectTimeout;
        PerConnectionBufferLimitBytes = definition.PerConnectionBufferLimitBytes ?? DefaultBufferLimit;
        HttpOptions = UpstreamHttpOptionsCompiler.Compile(definition, context);
        MaxResponseHeadersKb = HttpOptions.MaxResponseHeadersKb ?? DefaultMaxHeadersKb;
        MaxResponseHeadersCount = HttpOptions.MaxHeadersCount ?? DefaultMaxHeadersCount;
        TcpIdleTimeout = ReadTcpIdleTimeout(definition);
        (DefaultLimits, HighLimits, PerHostMaxConnections) = CircuitBreakerCompiler.Compile(definition);
        TransportSockets = TransportSocketMatcher.Compile(definition, environment.TransportSockets, context);
        if (HttpOptions.Choice == UpstreamProtocolChoice.Auto && !TransportSockets.Default.SupportsAlpn)
        {
            throw new ConfigurationException(
                $"ALPN configured for cluster {Name} which has a non-ALPN transport socket: auto_config needs a transport_socket with TLS.");
        }
        _sourceAddresses = SourceAddresses.Compile(definition, environment.BindConfig);
        _networkFilters = CompileFilters(definition, context);
        OverrideHostStatuses = OverrideHostStatuses.Read(definition.CommonLbConfigValue?.OverrideHostStatus);
        var preconnect = definition.PreconnectPolicyValue;
        PerUpstreamPreconnectRatio = preconnect?.PerUpstreamPreconnectRatio ?? 1.0;
        PredictivePreconnectRatio = preconnect?.PredictivePreconnectRatio ?? 1.0;
        Tracked = TrackedStats.Compile(definition, Stats);
        HappyEyeballs = HappyEyeballsOrder.Compile(definition);
    }

    public Cluster Definition { get; }

    public string Name { get; }

    public string ObservabilityName { get; }

    public IStatsScope Stats { get; }

    public StatBlock Traffic { get; }

    public DynamicMetadata Metadata => _metadata ??= MetadataEquality.Read(Definition.Metadata) ?? new DynamicMetadata();

    public TimeSpan ConnectTimeout { get; }

    public uint PerConnectionBufferLimitBytes { get; }

    public uint MaxResponseHeadersKb { get; }

    public uint MaxResponseHeadersCount { get; }

    public UpstreamHttpOptions HttpOptions { get; }

    /// <summary>Zero is never.</summary>
    public TimeSpan TcpIdleTimeout { get; }

    public CircuitBreakerLimits DefaultLimits { get; }

    public CircuitBreakerLimits HighLimits { get; }

    /// <summary>per_host_thresholds.max_connections; null is no limit.</summary>
    public ulong? PerHostMaxConnections { get; }

    public TransportSocketMatcher TransportSockets { get; }

    public OverrideHostStatuses OverrideHostStatuses { get; }

    public double PerUpstreamPreconnectRatio { get; }

    public double PredictivePreconnectRatio { get; }

    public TrackedStats Tracked { get; }

    public HappyEyeballsOrder HappyEyeballs { get; }

    public bool PoolPerDownstreamConnection => Definition.ConnectionPoolPerDownstreamConnection;

    public bool CloseOnHostHealthFailure => Definition.CloseConnectionsOnHostHealthFailure;

    public bool CloseOnHostSetChange => Definition.CommonLbConfigValue?.CloseConnectionsOnHostSetChange ?? false;

    public TimeSpan MaxConnectionDuration(bool isHttp) => isHttp ? HttpOptions.MaxConnectionDuration : default;

    public ClientSocketOptions? SocketOptions(EndPoint target) => _sourceAddresses.For(target);

    public void AddNetworkFilters(Connection connection)
    {
        foreach (var filter in _networkFilters)
        {
            filter.CreateFilter(connection);
        }
    }

    public PoolProtocol PoolProtocolFor(HttpProtocol? downstream) => HttpOptions.Choice switch
    {
        UpstreamProtocolChoice.Http2 => PoolProtocol.Http2,
        UpstreamProtocolChoice.Auto => PoolProtocol.Alpn,
        UpstreamProtocolChoice.Downstream when downstream == HttpProtocol.Http2 => PoolProtocol.Http2,
        _ => PoolProtocol.Http1,
    };

    private static INetworkFilterConfig[] CompileFilters(Cluster definition, FactoryContext context)
    {
        var filters = new INetworkFilterConfig[definition.Filters.Count];
        for (var i = 0; i < filters.Length; i++)
        {
            var filter = definition.Filters[i];
            var factory = Extensions.FindNetwork(filter.Name, filter.TypedConfig?.TypeName)
                ?? throw new ConfigurationException(
                    $"Didn't find a registered implementation for name: '{filter.Name}' with type URL: '{filter.TypedConfig?.TypeName}' "
                    + $"in filters of cluster {definition.Name}.");
            var config = filter.TypedConfig?.Message ?? new Message(SchemaRegistry.Find(factory.ConfigType)!);
            filters[i] = factory.Compile(config, context);
        }
        return filters;
    }

    private static IStatsMatcher? StatsMatcherOf(Cluster definition) =>
        definition.StatsMatcher is { } matcher ? StatsConfigCompiler.Matcher(matcher, "stats_matcher") : null;

    // A ':' would end a label in sinks that split there (Envoy's sanitizeStatsName).
    private static string StatName(string name) => name.Replace("://", "_").Replace(":/", "_").Replace(':', '_').Replace('\0', '_');

    private static TimeSpan ReadTcpIdleTimeout(Cluster definition)
    {
        foreach (var (name, options) in definition.TypedExtensionProtocolOptions)
        {
            if (name == TcpOptionsName && options.TryUnpack<TcpProtocolOptions>(out var tcp) && tcp.IdleTimeout is { } timeout)
            {
                return timeout;
            }
        }
        return DefaultTcpIdleTimeout;
    }
}
