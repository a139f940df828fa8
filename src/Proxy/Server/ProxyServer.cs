using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.Bootstrap.InternalListener.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Admin;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Observability.Statistics.Sinks;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Security.Secrets;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Server.Overload;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Proxy.Upstream.Clusters;
using Bootstrap = Envoy.Config.Bootstrap.V3.Bootstrap;
using WorkloadExtension = Istio.Workload.BootstrapExtension;

namespace MeshProxy.Proxy.Server;

/// <summary>
/// One proxy process: makes the rooms from a validated bootstrap and starts them in Envoy's order: 1 clusters without a
/// control plane, 2 clusters with one, 3 CDS, 4 listeners, LDS and what they wait for (routes, secrets), 5 workers.
/// </summary>
public sealed class ProxyServer : IDisposable
{
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(1);

    private readonly Bootstrap _bootstrap;
    private readonly ServerOptions _options;
    private readonly StatsStore _store;
    private readonly LogFiles _logs;
    private readonly ServerContext _context;
    private readonly EventLoop[] _workers;
    private readonly DateTime _startTime = DateTime.UtcNow;
    private readonly ServerStats _serverStats;
    private readonly SubscriptionFactory _subscriptions;
    private readonly List<RtdsApi> _rtds = [];
    private readonly InitManager _runtimeInit = new();
    private readonly OverloadManager? _overload;
    private LdsApi? _lds;
    private WorkloadDiscovery? _workloads;
    private AdminListener? _admin;
    private readonly StatsFlusher _flusher;
    private LoopTimer? _statsFlush;

    /// <exception cref="ConfigurationException">Something in the bootstrap cannot be served.</exception>
    public ProxyServer(Bootstrap bootstrap, ServerOptions options, Loggers loggers)
    {
        HeaderPrefix.Use(bootstrap.HeaderPrefix);
        Loggers = loggers;
        _bootstrap = bootstrap;
        _options = options;
        MainLoop = new EventLoop("main_thread", 0);
        _workers = [.. Enumerable.Range(0, options.Concurrency).Select(i => new EventLoop($"worker_{i}", i + 1))];
        _store = new StatsStore(_workers.Length + 1);
        StatsConfigCompiler.Apply(bootstrap.StatsConfig, _store, options.StatsTags);
        _flusher = new StatsFlusher(_store, _startTime);
        _logs = new LogFiles(_workers.Length + 1, options.FileFlushInterval, options.FileFlushMinSizeKb * 1024, _store.Root);
        var files = new FileWatcher(MainLoop);
        var node = MergeNode(bootstrap.Node, options);
        _context = new ServerContext
        {
            Options = options,
            MainLoop = MainLoop,
            Workers = _workers,
            Scope = _store.Root,
            Node = node,
            Files = files,
            Runtime = new RuntimeLoader(bootstrap.LayeredRuntime, node.Cluster, files, _store.Root),
            AccessLogs = _logs,
            Drain = new DrainState(null, options.DrainStrategy, options.DrainTime),
            Validation = new MessageValidationOptions(options.RejectUnknownDynamicFields),
        };
        _subscriptions = new SubscriptionFactory(
            MainLoop, files, node, () => _context.Clusters, _context.Validation, UnsupportedFeatures.Of(_context.Singletons),
            _store.Root, loggers.Config);
        _context.Subscriptions = _subscriptions;
        UnsupportedFeatures.Of(_context.Singletons).Found += WarnUnsupported;
        Clusters = new ClusterManager(ClusterEnvironment());
        _context.Clusters = Clusters;
        _context.Secrets = Secrets = new SecretManager(() => _context.Subscriptions, files, _store.Root);
        Clusters.AsyncClients = new AsyncHttpClients(Clusters, _context.Runtime, _store.Root, node.Locality?.Zone ?? "").Get;
        Listeners = new ListenerManager(MainLoop, _workers, new ListenerServices(_context, InternalListeners(bootstrap) is not null),
            new ConnectionLimit(MaxConnections), _context.Overload);
        if (bootstrap.OverloadManager is { } overload)
        {
            _overload = new OverloadManager(overload, MainLoop, _context.Overload, _store.Root)
            {
                AcceptingPaused = Listeners.PauseAccepting,
            };
        }
        _serverStats = new ServerStats(_store.Root, _startTime, _workers.Length)
        {
            State = () => State,
            Connections = () => Listeners.OpenConnections,
            DaysUntilExpiry = () => _context.TlsContexts.DaysUntilFirstCertificateExpires(DateTimeOffset.UtcNow),
        };
    }

    public EventLoop MainLoop { get; }

    public Loggers Loggers { get; }

    public ClusterManager Clusters { get; }

    public ListenerManager Listeners { get; }

    public SecretManager Secrets { get; }

    /// <summary>Live turns to draining while an operator fails the server's health.</summary>
    public ServerState State
    {
        get => field == ServerState.Live && _context.Health.Failed ? ServerState.Draining : field;
        private set;
    } = ServerState.PreInitializing;

    /// <summary>Compiles everything in the bootstrap and opens nothing (--mode validate).</summary>
    /// <exception cref="ConfigurationException">What is wrong, in one sentence.</exception>
    public void Validate() => Configure();

    /// <summary>Starts, and runs the main loop on the calling thread until <see cref="Shutdown"/>.</summary>
    /// <exception cref="ConfigurationException">The bootstrap cannot be served.</exception>
    public void Run()
    {
        MainLoop.Adopt();
        OpenAdmin();
        Configure();
        ArmStatsFlush();
        MainLoop.Fault = ReportFault;
        foreach (var worker in _workers)
        {
            worker.Fault = ReportFault;
            worker.Start();
        }
        _overload?.Start();
        Clusters.StartPrimary(OnPrimaryClustersReady);
        _subscriptions.Open();
        MainLoop.Run();
    }

    /// <summary>Ends the process's work: open connections are cut, logs flushed, <see cref="Run"/> returns. From any thread.</summary>
    public void Shutdown() => MainLoop.Post(() =>
    {
        Listeners.CloseAllConnections(Stop);
        // A worker that does not answer must not hold the end up.
        MainLoop.CreateTimer(Stop).Arm(ShutdownPatience);
    });

    private void Stop()
    {
        // What was counted since the last flush would be lost.
        _statsFlush?.Disarm();
        _flusher.Flush();
        foreach (var worker in _workers)
        {
            worker.Stop();
        }
        MainLoop.Stop();
    }

    public void Dispose()
    {
        _logs.Dispose();
        _context.Files.Dispose();
    }

    private WorkerListeners? ListenersOf(EventLoop loop) => Listeners.ListenersOf(loop);

    // The monitor of the overload manager stands above the older runtime key, as in Envoy.
    private ulong MaxConnections() => _overload?.MaxDownstreamConnections
        ?? _context.Runtime.GetInteger("overload.global_downstream_max_connections", ulong.MaxValue);

    private void WarnUnsupported(UnsupportedFeatures.Entry entry) => Loggers.Config.Warning(entry.Effect == UnsupportedEffect.Refuses
        ? $"{entry.Feature} is not built in; traffic that meets it is refused, as it may protect. Remove it from the configuration."
        : $"{entry.Feature} is not built in and has no effect.");

    private void ReportFault(Exception fault) => Loggers.Main.Critical($"An internal error was contained: {fault}");

    private void OpenAdmin()
    {
        if (_bootstrap.Admin is not { Address: not null } admin)
        {
            return;
        }
        var scope = _context.Scope.Scope("listener.admin");
        var context = new OwnerContext(_context, scope, new InitManager(), null, _context.Drain);
        _admin = new AdminListener(admin, MainLoop, context, _context.Drain, AdminServices().CreateHandler());
        if (_options.AdminAddressPath.Length > 0)
        {
            File.WriteAllText(_options.AdminAddressPath, Addresses.Format(_admin.Address));
        }
    }

    private AdminServices AdminServices()
    {
        var dumps = ConfigTracker.Of(_context.Singletons);
        ConfigDumps.AddBootstrap(dumps, _bootstrap, _context.Node);
        ConfigDumps.AddClusters(dumps, Clusters);
        ConfigDumps.AddListeners(dumps, Listeners, () => _lds?.Version ?? "");
        ConfigDumps.AddSecrets(dumps, Secrets, _startTime);
        ConfigDumps.AddRoutes(dumps, Listeners, _context.Singletons);
        ConfigDumps.AddExtensions(dumps, _context.Singletons);
        return new AdminServices
        {
            Stats = _store,
            Loggers = Loggers,
            Runtime = _context.Runtime,
            Clusters = Clusters,
            Listeners = Listeners,
            AccessLogs = _logs,
            ConfigDumps = dumps,
            Unsupported = UnsupportedFeatures.Of(_context.Singletons),
            Failures = FailureLog.Of(_context.Singletons),
            Node = _context.Node,
            Version = ServerVersion.Admin,
            CommandLine = _options.CommandLine,
            StartTime = _startTime,
            State = () => State,
            FailHealth = failed => _context.Health.Failed = failed,
            DrainListeners = wanted => Listeners.Drain(wanted.Graceful, wanted.InboundOnly, wanted.SkipExit),
            Quit = Shutdown,
            Certificates = () => CertificateMessages.Of(_context.TlsContexts, MainLoop.UtcNow),
            BeforeStats = _bootstrap.StatsFlushOnAdmin ? _flusher.Flush : static () => { },
        };
    }

    // Sinks and histograms tell what the loops recorded once it is flushed (stats_flush_interval, 5 s).
    private void ArmStatsFlush()
    {
        if (_bootstrap.StatsFlushOnAdmin)
        {
            return;
        }
        var interval = _bootstrap.StatsFlushInterval ?? TimeSpan.FromSeconds(5);
        _statsFlush = MainLoop.CreateTimer(() =>
        {
            _flusher.Flush();
            _statsFlush!.Arm(interval);
        });
        _statsFlush.Arm(interval);
    }

    private void Configure()
    {
        BootstrapChecks.Check(_bootstrap);
        UnbuiltFields.Check(_bootstrap.Message, UnsupportedFeatures.Of(_context.Singletons));
        foreach (var secret in _bootstrap.StaticResourcesValue?.Secrets ?? default)
        {
            Secrets.AddStatic(secret);
        }
        _subscriptions.PrimaryClusters = PrimaryClusters();
        if (_bootstrap.DynamicResourcesValue?.AdsConfig is { } ads)
        {
            _subscriptions.UseAds(ads);
        }
        AddRuntimeLayers();
        Clusters.AddBootstrapClusters(_bootstrap);
        _flusher.Use(StatsSinkCompiler.Compile(
            _bootstrap.StatsSinks, _store, new OwnerContext(_context, _store.Root, new InitManager(), null, _context.Drain)));
        DefaultTracing.Of(_context.Singletons).Provider = _bootstrap.Tracing?.HttpValue;
        ConfigureIstio();
        if (_bootstrap.DynamicResourcesValue?.CdsConfig is { } clusters)
        {
            Clusters.AddCds(clusters);
        }
        if (_bootstrap.DynamicResourcesValue?.LdsConfig is { } source)
        {
            _lds = new LdsApi(Listeners, _context.Subscriptions, source,
                _context.Scope.Scope("listener_manager.lds"), _context.Init.Register());
        }
        if (_bootstrap.StaticResourcesValue is { } resources)
        {
            foreach (var listener in resources.Listeners)
            {
                Listeners.AddOrUpdate(listener, "", addedViaApi: false);
            }
        }
    }

    private void ConfigureIstio()
    {
        if (_bootstrap.StatsEvictionInterval is { } eviction)
        {
            IstioMetrics.Of(new OwnerContext(_context, _store.Root, new InitManager(), null, _context.Drain)).ExpireAfter(eviction);
        }
        if (Extension<WorkloadExtension>(_bootstrap)?.ConfigSource is { } source)
        {
            _workloads = new WorkloadDiscovery(source, _subscriptions, _store.Root.Scope("workload_discovery"));
            WorkloadDiscoveryHolder.Of(_context.Singletons).Table = _workloads;
        }
    }

    private HashSet<string> PrimaryClusters()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var cluster in _bootstrap.StaticResourcesValue?.Clusters ?? default)
        {
            if (EdsCluster.NeedsNoServer(cluster))
            {
                names.Add(cluster.Name);
            }
        }
        return names;
    }

    private void AddRuntimeLayers()
    {
        var scope = _context.Scope.Scope("runtime");
        foreach (var layer in _bootstrap.LayeredRuntime?.Layers ?? default)
        {
            if (layer.RtdsLayerValue is not null)
            {
                _rtds.Add(new RtdsApi(_context.Runtime, layer, _subscriptions, scope, _runtimeInit.Register()));
            }
        }
    }

    // What has a control plane can start once the clusters without one are there; the runtime comes before all it may steer.
    private void OnPrimaryClustersReady()
    {
        if (_options.EarlyListener.Length > 0)
        {
            Listeners.StartEarly(_options.EarlyListener);
        }
        _subscriptions.StartAds();
        foreach (var layer in _rtds)
        {
            layer.Start();
        }
        _runtimeInit.Initialize(StartSecondaryClusters);
    }

    private void StartSecondaryClusters()
    {
        using var paused = _subscriptions.Pause(ClusterLoadAssignment.Descriptor.TypeUrl, Secret.Descriptor.TypeUrl);
        Clusters.StartSecondary(OnClustersReady);
    }

    private void OnClustersReady()
    {
        Clusters.StartCds(StartListeners);
    }

    // Listeners come after clusters, so that what routes name is there.
    private void StartListeners()
    {
        State = ServerState.Initializing;
        _workloads?.Start();
        _lds?.Start();
        _context.Init.Initialize(StartWorkers);
    }

    private void StartWorkers() => Listeners.StartWorkers(() =>
    {
        State = ServerState.Live;
        _serverStats.Initialized(DateTime.UtcNow - _startTime);
    });

    private ClusterEnvironment ClusterEnvironment() => new()
    {
        MainLoop = MainLoop,
        Workers = _workers,
        Stats = _store.Root,
        Runtime = _context.Runtime,
        Node = _context.Node,
        Connector = new InternalConnector(ListenersOf, InternalBufferBytes(_bootstrap)),
        Codecs = new ClientCodecFactory(),
        ContextFor = (scope, init) => new OwnerContext(_context, scope, init, null, _context.Drain),
        TransportSockets = _context.TransportSockets,
        Subscriptions = _context.Subscriptions,
        Validation = _context.Validation,
        Unsupported = UnsupportedFeatures.Of(_context.Singletons),
        AccessLogs = _logs,
        LocalClusterName = _bootstrap.ClusterManager?.LocalClusterName ?? "",
        BindConfig = _bootstrap.ClusterManager?.UpstreamBindConfig,
        OutlierEventLogPath = _bootstrap.ClusterManager?.OutlierDetectionValue?.EventLogPath ?? "",
    };

    private static Node MergeNode(Node? configured, ServerOptions options)
    {
        var node = configured is { } given ? new Node(given.Message.Clone()) : Node.New();
        if (options.ServiceNode.Length > 0)
        {
            node.Id = options.ServiceNode;
        }
        if (options.ServiceCluster.Length > 0)
        {
            node.Cluster = options.ServiceCluster;
        }
        if (options.ServiceZone.Length > 0)
        {
            var locality = node.Locality ?? Envoy.Config.Core.V3.Locality.New();
            locality.Zone = options.ServiceZone;
            node.Locality = locality;
        }
        node.UserAgentName = "envoy";
        var build = BuildVersion.New();
        build.Version = ServerVersion.Semantic;
        build.Metadata = ServerVersion.BuildFacts;
        node.UserAgentBuildVersion = build;
        return node;
    }

    private static InternalListener? InternalListeners(Bootstrap bootstrap) => Extension<InternalListener>(bootstrap);

    private static T? Extension<T>(Bootstrap bootstrap)
        where T : struct, IMessage<T>
    {
        foreach (var extension in bootstrap.BootstrapExtensions)
        {
            if (extension.TypedConfig is { } config && config.TryUnpack<T>(out var found))
            {
                return found;
            }
        }
        return null;
    }

    private static int InternalBufferBytes(Bootstrap bootstrap) =>
        InternalListeners(bootstrap)?.BufferSizeKb is { } kilobytes ? (int)kilobytes * 1024 : InternalConnector.DefaultBufferBytes;
}
