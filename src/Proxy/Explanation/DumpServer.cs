using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Server;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Explanation;

/// <summary>
/// The proxy that a dump describes, compiled by the compilers of the data path and never run: no socket, file, timer or
/// stream is opened. Listeners, route tables, filters and clusters can be asked what they would do. For one thread.
/// </summary>
internal sealed class DumpServer : IDisposable
{
    private readonly ServerContext _context;
    private readonly DumpSubscriptions _subscriptions;
    private readonly ListenerManagerOfDump _listeners;
    private readonly List<string> _refusals = [];

    public DumpServer(ConfigurationDump dump)
    {
        Dump = dump;
        Loop = new EventLoop("main_thread", 0);
        Loop.Adopt();
        var store = new StatsStore(1);
        var files = new FileWatcher(Loop);
        var node = dump.Bootstrap?.Node ?? Node.New();
        _subscriptions = new DumpSubscriptions(dump);
        _context = new ServerContext
        {
            Options = new ServerOptions { ValidateOnly = true, Concurrency = 1 },
            MainLoop = Loop,
            Workers = [],
            Scope = store.Root,
            Node = node,
            Files = files,
            Runtime = new RuntimeLoader(dump.Bootstrap?.LayeredRuntime, node.Cluster, files, store.Root),
            AccessLogs = new NoAccessLogs(),
            Drain = new DrainState(null, DrainStrategy.Immediate, TimeSpan.Zero),
            Validation = new MessageValidationOptions(RejectUnknownFields: false),
            Subscriptions = _subscriptions,
        };
        Clusters = new ClusterManager(Environment(store));
        _context.Clusters = Clusters;
        _context.Secrets = new Security.Secrets.SecretManager(() => _subscriptions, files, store.Root);
        AddClusters();
        _listeners = new ListenerManagerOfDump(_context, Loop);
        AddListeners();
        _refusals.AddRange(_subscriptions.Refusals);
    }

    public ConfigurationDump Dump { get; }

    public EventLoop Loop { get; }

    public ClusterManager Clusters { get; }

    /// <summary>Listeners that serve, in the order of the dump.</summary>
    public IReadOnlyList<CompiledListener> Listeners => _listeners.All;

    /// <summary>What of the dump this build refuses, a sentence each.</summary>
    public IReadOnlyList<string> Refusals => _refusals;

    /// <summary>The listener a redirected connection is handed to, as workers look it up.</summary>
    public CompiledListener? FindByAddress(System.Net.EndPoint address) => _listeners.FindByAddress(address);

    /// <summary>The listener whose own socket takes connections to that address.</summary>
    public CompiledListener? FindBound(System.Net.EndPoint address) => _listeners.FindBound(address);

    public void Dispose()
    {
        _context.Files.Dispose();
        Loop.Dispose();
    }

    private void AddClusters()
    {
        Clusters.StartPrimary(static () => { });
        Clusters.StartSecondary(static () => { });
        foreach (var entry in Dump.Clusters.Where(static entry => entry.State is DumpState.Static or DumpState.Active))
        {
            Try($"cluster {entry.Resource.Name}", () => Clusters.AddOrUpdate(Still(entry.Resource), entry.Version));
        }
    }

    private void AddListeners()
    {
        foreach (var entry in Dump.Listeners.Where(static entry => entry.State is DumpState.Static or DumpState.Active))
        {
            var listener = entry.Resource;
            Try($"listener {listener.Name}", () => _listeners.Add(listener));
        }
    }

    private void Try(string what, Action compile)
    {
        try
        {
            compile();
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException)
        {
            _refusals.Add($"{what} is refused: {refused.Message}");
        }
    }

    // Endpoints are taken from the dump, with their health as the proxy saw it: nothing is resolved or checked again.
    private Cluster Still(Cluster definition)
    {
        var still = new Cluster(definition.Message.Clone());
        still.Message.Clear(Cluster.Descriptor.FindField("health_checks")!.Index);
        if (!DependsOnNames(definition))
        {
            return still;
        }
        var known = Dump.Endpoints.FirstOrDefault(entry => entry.Resource.ClusterName == definition.Name)?.Resource;
        still.Message.Clear(Cluster.Descriptor.FindField("cluster_type")!.Index);
        still.Message.Clear(Cluster.Descriptor.FindField("dns_lookup_family")!.Index);
        still.Type = Cluster.DiscoveryType.Static;
        still.LoadAssignment = known ?? Nothing(definition.Name);
        return still;
    }

    private static bool DependsOnNames(Cluster definition) =>
        definition.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType
            ? definition.ClusterType?.Name is "envoy.cluster.dns" or "envoy.clusters.dns" or "envoy.cluster.strict_dns"
                or "envoy.cluster.logical_dns"
            : definition.Type is Cluster.DiscoveryType.StrictDns or Cluster.DiscoveryType.LogicalDns;

    private static ClusterLoadAssignment Nothing(string name)
    {
        var assignment = ClusterLoadAssignment.New();
        assignment.ClusterName = name;
        return assignment;
    }

    private ClusterEnvironment Environment(StatsStore store) => new()
    {
        MainLoop = Loop,
        Workers = [],
        Stats = store.Root,
        Runtime = _context.Runtime,
        Node = _context.Node,
        Connector = new SocketConnector(),
        Codecs = new ClientCodecFactory(),
        ContextFor = (scope, init) => new OwnerContext(_context, scope, init, null, _context.Drain),
        TransportSockets = new NamedTransport.Compiler(),
        Subscriptions = _subscriptions,
        AccessLogs = _context.AccessLogs,
    };

    private sealed class NoAccessLogs : AccessLogManager, IAccessLogFile
    {
        public override IAccessLogFile Open(string path) => this;

        public override void ReopenAll()
        {
        }

        public void Write(ReadOnlySpan<byte> line)
        {
        }
    }

    /// <summary>Compiled listeners, and the look-ups of a worker over them.</summary>
    private sealed class ListenerManagerOfDump(ServerContext context, EventLoop loop)
    {
        private readonly List<CompiledListener> _all = [];
        private readonly WorkerListeners _worker = new(loop, new ConnectionLimit(static () => ulong.MaxValue), context.Overload);
        private readonly WorkerListeners _bound = new(loop, new ConnectionLimit(static () => ulong.MaxValue), context.Overload);
        private readonly ListenerCompiler _compiler = new(new Services(context));

        public IReadOnlyList<CompiledListener> All => _all;

        public void Add(Envoy.Config.Listener.V3.Listener listener)
        {
            var compiled = _compiler.Compile(listener, listener.Name, null);
            compiled.Init.Initialize(static () => { });
            _all.Add(compiled);
            _worker.Add(compiled);
            if (compiled.BindToPort && !compiled.IsInternal)
            {
                _bound.Add(compiled);
            }
        }

        public CompiledListener? FindByAddress(System.Net.EndPoint address) => _worker.FindByAddress(address)?.Config;

        public CompiledListener? FindBound(System.Net.EndPoint address) => _bound.FindByAddress(address)?.Config;
    }

    private sealed class Services(ServerContext server) : ListenerServices(server, internalListeners: true)
    {
        public override IDownstreamTransportSocketFactory CompileTransportSocket(TransportSocket? socket, FactoryContext context) =>
            new NamedTransport(socket);

        public override IReadOnlyList<IAccessLog> CompileAccessLogs(MessageList<AccessLog> logs, FactoryContext context) => [];
    }
}
