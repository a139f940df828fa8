using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Clusters;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Actively checks a cluster's hosts, a session each (upstream 9). On the main loop.</summary>
internal sealed class HealthChecker : IDisposable
{
    private readonly Dictionary<HostImpl, HealthCheckSession> _sessions = [];
    private readonly Func<HealthChecker, HostImpl, HealthCheckSession> _createSession;
    private readonly HealthCheckEventLog? _log;
    private readonly HashSet<HostImpl> _firstRound = [];
    private Action? _onFirstRound;
    private bool _started;

    private HealthChecker(
        ClusterBase cluster, ClusterEnvironment environment, HealthCheckOptions options, HealthCheckEventLog? log,
        Func<HealthChecker, HostImpl, HealthCheckSession> createSession)
    {
        Cluster = cluster;
        Environment = environment;
        Options = options;
        Stats = new HealthCheckStats(cluster.Info.Stats, cluster.Entry.Hosts);
        _log = log;
        _createSession = createSession;
    }

    public ClusterBase Cluster { get; }

    public ClusterEnvironment Environment { get; }

    public EventLoop Loop => Environment.MainLoop;

    public HealthCheckOptions Options { get; }

    public HealthCheckStats Stats { get; }

    public HealthCheckEventLog? Log => _log;

    /// <summary>Null when the cluster has no checks. Of several only the first counts, as in Envoy.</summary>
    public static HealthChecker? Compile(ClusterBase cluster, ClusterEnvironment environment)
    {
        if (cluster.Info.Definition.HealthChecks.Count == 0)
        {
            return null;
        }
        var config = cluster.Info.Definition.HealthChecks[0];
        var options = new HealthCheckOptions(config);
        var (kind, create) = CompileKind(config, cluster, environment);
        var log = HealthCheckEventLog.Compile(config, kind, cluster.Info.Name, environment);
        return new HealthChecker(cluster, environment, options, log, create);
    }

    public void Start(Action onFirstRound)
    {
        _started = true;
        foreach (var set in Cluster.Entry.Hosts.Sets)
        {
            Add(set.Hosts);
        }
        _firstRound.UnionWith(_sessions.Keys);
        _onFirstRound = onFirstRound;
        CheckFirstRound();
        foreach (var session in _sessions.Values.ToArray())
        {
            session.Start();
        }
    }

    public void OnHostsChanged(HostSetChange change)
    {
        if (!_started)
        {
            return;
        }
        Add(change.Added);
        foreach (var host in change.Added)
        {
            if (_sessions.TryGetValue(host, out var session))
            {
                session.Start();
            }
        }
        foreach (var host in change.Removed)
        {
            if (_sessions.Remove(host, out var session))
            {
                session.Dispose();
                host.UnhealthyByTraffic = null;
            }
            _firstRound.Remove(host);
        }
        CheckFirstRound();
    }

    /// <summary>A check of the host ended and its session has set the flags.</summary>
    public void OnChecked(HostImpl host, bool passed, bool changed)
    {
        _firstRound.Remove(host);
        if (passed)
        {
            Cluster.OutlierDetector?.OnHealthCheckPassed(host);
        }
        if (host.Has(HealthFlags.FailedActiveHealthCheck) && host.Has(HealthFlags.PendingDynamicRemoval))
        {
            Cluster.DropRemovedHost(host);
        }
        else if (changed)
        {
            Cluster.OnHealthChanged(host);
        }
        CheckFirstRound();
    }

    public void Dispose()
    {
        foreach (var (host, session) in _sessions)
        {
            host.UnhealthyByTraffic = null;
            session.Dispose();
        }
        _sessions.Clear();
        _onFirstRound = null;
    }

    private void Add(IEnumerable<HostImpl> hosts)
    {
        foreach (var host in hosts)
        {
            if (!host.Facts.DisableActiveHealthCheck && !_sessions.ContainsKey(host))
            {
                var session = _createSession(this, host);
                _sessions.Add(host, session);
                host.UnhealthyByTraffic = session.FailByTraffic;
            }
        }
    }

    private void CheckFirstRound()
    {
        if (_firstRound.Count == 0 && _onFirstRound is { } done)
        {
            _onFirstRound = null;
            done();
        }
    }

    private static (string Kind, Func<HealthChecker, HostImpl, HealthCheckSession> Create) CompileKind(
        HealthCheck config, ClusterBase cluster, ClusterEnvironment environment)
    {
        switch (config.HealthCheckerCase)
        {
            case HealthCheck.HealthCheckerOneofCase.HttpHealthCheckValue:
                var http = new HttpCheckOptions(config.HttpHealthCheckValue!.Value, cluster.Info);
                return ("HTTP", (checker, host) => new HttpCheckSession(checker, host, http));
            case HealthCheck.HealthCheckerOneofCase.TcpHealthCheckValue:
                var tcp = new TcpCheckOptions(config.TcpHealthCheckValue!.Value);
                return ("TCP", (checker, host) => new TcpCheckSession(checker, host, tcp));
            case HealthCheck.HealthCheckerOneofCase.GrpcHealthCheckValue:
                if (cluster.Info.HttpOptions.Choice != UpstreamProtocolChoice.Http2)
                {
                    throw new ConfigurationException(
                        $"{cluster.Info.Name} cluster must support HTTP/2 for gRPC healthchecking: set http2_protocol_options.");
                }
                var grpc = new GrpcCheckOptions(config.GrpcHealthCheckValue!.Value);
                return ("GRPC", (checker, host) => new GrpcCheckSession(checker, host, grpc));
            default:
                throw new ConfigurationException(
                    $"Didn't find a registered implementation for name: '{config.CustomHealthCheckValue?.Name}' in health_checks of cluster {cluster.Info.Name}.");
        }
    }
}
