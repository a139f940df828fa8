using Envoy.Admin.V3;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Server;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Admin;

/// <summary>What `POST /drain_listeners` asks for.</summary>
/// <param name="Graceful">Connections are told to end over the drain time before listeners stop.</param>
/// <param name="InboundOnly">Only listeners of traffic_direction INBOUND.</param>
/// <param name="SkipExit">Listeners go on accepting after a graceful drain.</param>
public sealed record DrainRequest(bool Graceful, bool InboundOnly, bool SkipExit);

/// <summary>What the admin interface shows and moves.</summary>
public sealed class AdminServices
{
    public required StatsStore Stats { get; init; }

    public required Loggers Loggers { get; init; }

    public required RuntimeLoader Runtime { get; init; }

    public required ClusterManager Clusters { get; init; }

    public required ListenerManager Listeners { get; init; }

    public required AccessLogManager AccessLogs { get; init; }

    /// <summary>Sections of /config_dump.</summary>
    public required ConfigTracker ConfigDumps { get; init; }

    /// <summary>What was accepted without being built.</summary>
    public required UnsupportedFeatures Unsupported { get; init; }

    /// <summary>What failed in the last minutes.</summary>
    public required FailureLog Failures { get; init; }

    public required Node Node { get; init; }

    /// <summary>`sha/version/status/type/ssl`.</summary>
    public required string Version { get; init; }

    /// <summary>The flags the process was started with.</summary>
    public required CommandLineOptions CommandLine { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime StartTime { get; init; }

    public required Func<ServerState> State { get; init; }

    /// <summary>`/healthcheck/fail` and `/healthcheck/ok`.</summary>
    public required Action<bool> FailHealth { get; init; }

    public required Action<DrainRequest> DrainListeners { get; init; }

    /// <summary>Ends the process after the answer was sent.</summary>
    public required Action Quit { get; init; }

    /// <summary>Brings stats of the process up to date before they are shown (and flushes histograms with stats_flush_on_admin).</summary>
    public required Action BeforeStats { get; init; }

    /// <summary>Certificates in use, for /certs.</summary>
    public Func<IEnumerable<Certificate>> Certificates { get; set; } = static () => [];

    /// <summary>What the start still waits for, for /init_dump.</summary>
    public Func<IEnumerable<(string Name, IEnumerable<string> Targets)>> UnreadyTargets { get; set; } = static () => [];

    /// <summary>The interface over all of this.</summary>
    public AdminHandler CreateHandler() =>
        new(
        [
            .. new StatsEndpoints(Stats, BeforeStats).All(),
            new ClustersEndpoint(Clusters).Endpoint,
            new ListenersEndpoint(Listeners).Endpoint,
            new ConfigDumpEndpoint(ConfigDumps).Endpoint,
            .. new RuntimeEndpoints(Runtime).All(),
            new LoggingEndpoint(Loggers).Endpoint,
            new UnsupportedEndpoint(Unsupported).Endpoint,
            new FailuresEndpoint(Failures).Endpoint,
            .. new ServerEndpoints(this).All(),
        ]);
}
