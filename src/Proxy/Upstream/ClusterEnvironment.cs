using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>What clusters use of the process.</summary>
public sealed class ClusterEnvironment
{
    public required EventLoop MainLoop { get; init; }

    public required IReadOnlyList<EventLoop> Workers { get; init; }

    public required IStatsScope Stats { get; init; }

    public required IRuntime Runtime { get; init; }

    public required Node Node { get; init; }

    public required IUpstreamConnector Connector { get; init; }

    public required IClientCodecFactory Codecs { get; init; }

    /// <summary>Context for compiling a cluster's extensions, with its scope and its init manager.</summary>
    public required Func<IStatsScope, InitManager, FactoryContext> ContextFor { get; init; }

    /// <summary>Compiles transport sockets by type.</summary>
    public required IUpstreamTransportSocketCompiler TransportSockets { get; init; }

    public required Discovery.ISubscriptionFactory Subscriptions { get; init; }

    /// <summary>What is done with unknown fields of clusters that discovery brings.</summary>
    public MessageValidationOptions Validation { get; init; } = new(RejectUnknownFields: false);

    /// <summary>Where is noted what is accepted without effect.</summary>
    public UnsupportedFeatures Unsupported { get; init; } = new();

    public required AccessLogManager AccessLogs { get; init; }

    /// <summary>cluster_manager.local_cluster_name; empty if none.</summary>
    public string LocalClusterName { get; init; } = "";

    /// <summary>cluster_manager.upstream_bind_config.</summary>
    public BindConfig? BindConfig { get; init; }

    /// <summary>cluster_manager.outlier_detection.event_log_path; empty if none.</summary>
    public string OutlierEventLogPath { get; init; } = "";

    /// <summary>Hosts of the local cluster, once it is there.</summary>
    internal PrioritySet? LocalHosts { get; set; }

    internal ulong NextRandom() => (ulong)Random.Shared.NextInt64() << 1 ^ (ulong)Random.Shared.NextInt64();
}
