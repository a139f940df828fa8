using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using Source = Envoy.Config.Core.V3.ConfigSource.ConfigSourceSpecifierOneofCase;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Follows resources where their config source says; holds the one ADS stream.</summary>
internal sealed class SubscriptionFactory : ISubscriptionFactory
{
    /// <summary>ConfigSource.initial_fetch_timeout when it is not set.</summary>
    private static readonly TimeSpan DefaultFetchTimeout = TimeSpan.FromSeconds(15);

    private readonly EventLoop _loop;
    private readonly FileWatcher _files;
    private readonly Node _node;
    private readonly Func<IClusterManager> _clusters;
    private readonly IStatsScope _serverScope;
    private readonly ResourceDecoder _decoder;
    private readonly Logger? _log;
    private readonly List<Mux> _held = [];
    private Mux? _ads;
    private bool _open;

    /// <param name="clusters">Asked when a stream is opened: the manager subscribes itself, and is made later.</param>
    public SubscriptionFactory(
        EventLoop loop, FileWatcher files, Node node, Func<IClusterManager> clusters, MessageValidationOptions validation,
        UnsupportedFeatures unsupported, IStatsScope serverScope, Logger? log)
    {
        _loop = loop;
        _files = files;
        _node = node;
        _clusters = clusters;
        _serverScope = serverScope;
        _decoder = new ResourceDecoder(validation, serverScope, unsupported);
        _log = log;
    }

    /// <summary>
    /// Static clusters that need no control plane, which alone may lead to one; null checks nothing. A cluster that itself
    /// waits for discovery would wait for ever.
    /// </summary>
    public IReadOnlySet<string>? PrimaryClusters { get; set; }

    /// <summary>dynamic_resources.ads_config: the stream that all sources `ads` share. Nothing is opened yet.</summary>
    /// <exception cref="ConfigurationException">It cannot work.</exception>
    public void UseAds(ApiConfigSource config) =>
        _ads = CreateMux(config, DiscoveryMethods.ForAggregated(IsDelta(config)), _serverScope);

    /// <summary>Clusters that need nobody have begun: streams of single subscriptions may be opened.</summary>
    public void Open()
    {
        _open = true;
        foreach (var mux in _held)
        {
            mux.Start();
        }
        _held.Clear();
    }

    /// <summary>Opens the ADS stream; the clusters it needs must be there.</summary>
    public void StartAds()
    {
        Open();
        _ads?.Start();
    }

    /// <summary>Opens a subscription's own stream as soon as there are clusters.</summary>
    public void Start(Mux mux)
    {
        if (_open)
        {
            mux.Start();
        }
        else
        {
            _held.Add(mux);
        }
    }

    public ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
        IStatsScope scope, ISubscriptionCallbacks callbacks)
    {
        RequireNode();
        switch (source.ConfigSourceSpecifierCase)
        {
            case Source.Path:
                var path = PathConfigSource.New();
                path.Path = source.Path;
                return new FileSubscription(path, typeUrl, _decoder, _files, _loop, scope, callbacks);
            case Source.PathConfigSource:
                return new FileSubscription(source.PathConfigSource!.Value, typeUrl, _decoder, _files, _loop, scope, callbacks);
            case Source.Ads:
                var ads = _ads ?? throw new ConfigurationException(
                    $"A source of {typeUrl} is ads, but the bootstrap has no dynamic_resources.ads_config; add it.");
                return new MuxSubscription(
                    ads, null, typeUrl, resourceNames, _loop, scope, FetchTimeout(source), callbacks);
            case Source.ApiConfigSource:
                var config = source.ApiConfigSource!.Value;
                var mux = CreateMux(config, DiscoveryMethods.For(typeUrl, IsDelta(config)), scope);
                return new MuxSubscription(
                    mux, Start, typeUrl, resourceNames, _loop, scope, FetchTimeout(source), callbacks);
            default:
                throw new ConfigurationException(
                    $"A config source of {typeUrl} names no place; set ads, api_config_source or path_config_source.");
        }
    }

    public IDisposable Pause(params ReadOnlySpan<string> typeUrls)
    {
        if (_ads is null)
        {
            return NoPause.Instance;
        }
        var pauses = new IDisposable[typeUrls.Length];
        for (var i = 0; i < pauses.Length; i++)
        {
            pauses[i] = _ads.Pause(typeUrls[i]);
        }
        return new Pauses(pauses);
    }

    private Mux CreateMux(ApiConfigSource config, string method, IStatsScope scope)
    {
        if (config.ApiTypeValue is ApiConfigSource.ApiType.Rest)
        {
            throw new ConfigurationException("api_config_source: REST is not served; use api_type GRPC or DELTA_GRPC.");
        }
        if (config.TransportApiVersion != ApiVersion.V3)
        {
            throw new ConfigurationException("V2 (and AUTO) xDS transport protocol versions are deprecated in api_config_source; set transport_api_version to V3.");
        }
        if (config.ClusterNames.Count > 0)
        {
            throw new ConfigurationException("api_config_source: (DELTA_)GRPC must not have a cluster name specified; use grpc_services.");
        }
        if (config.GrpcServices is not [var service])
        {
            throw new ConfigurationException("api_config_source: (DELTA_)GRPC must have a single gRPC service specified; name the control plane's cluster.");
        }
        CheckVersion(config.TransportApiVersion);
        RequirePrimary(service.EnvoyGrpcValue?.ClusterName);
        var settings = new MuxSettings
        {
            Streams = new ClusterStreams(service, _clusters),
            Method = method,
            Node = _node,
            NodeOnFirstOnly = config.SetNodeOnFirstMessageOnly,
            Decoder = _decoder,
            Loop = _loop,
            Scope = scope,
            Log = _log,
        };
        return IsDelta(config) ? new DeltaMux(settings) : new SotwMux(settings);
    }

    // Only v3 exists; AUTO meant v2 (Envoy's checkTransportVersion).
    private static void CheckVersion(ApiVersion version)
    {
        if (version is not ApiVersion.V3)
        {
            throw new ConfigurationException($"api_config_source.transport_api_version: V2 (and AUTO) xDS transport protocol versions are not served; set V3.");
        }
    }

    private void RequirePrimary(string? cluster)
    {
        if (cluster is not null && PrimaryClusters is { } primary && !primary.Contains(cluster))
        {
            throw new ConfigurationException(
                $"ApiConfigSource must have a statically defined non-EDS cluster: '{cluster}' does not exist, was added via api, or is an EDS cluster; name one of static_resources.clusters.");
        }
    }

    private void RequireNode()
    {
        if (_node.Id.Length == 0 || _node.Cluster.Length == 0)
        {
            throw new ConfigurationException(
                "node 'id' and 'cluster' are required for discovery: set them in the bootstrap's node or by --service-node and --service-cluster.");
        }
    }

    private static bool IsDelta(ApiConfigSource config) =>
        config.ApiTypeValue is ApiConfigSource.ApiType.DeltaGrpc or ApiConfigSource.ApiType.AggregatedDeltaGrpc;

    private static TimeSpan FetchTimeout(ConfigSource source) => source.InitialFetchTimeout ?? DefaultFetchTimeout;

    private sealed class Pauses(IDisposable[] pauses) : IDisposable
    {
        public void Dispose()
        {
            foreach (var pause in pauses)
            {
                pause.Dispose();
            }
        }
    }
}
