using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Security.Tls;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Server;

/// <summary>What the process has one of. Set once during start; contexts of listeners and clusters are views of it.</summary>
internal sealed class ServerContext
{
    public required ServerOptions Options { get; init; }

    public required EventLoop MainLoop { get; init; }

    public required IReadOnlyList<EventLoop> Workers { get; init; }

    public required IStatsScope Scope { get; init; }

    public required Node Node { get; init; }

    public required RuntimeLoader Runtime { get; init; }

    public required FileWatcher Files { get; init; }

    public required AccessLogManager AccessLogs { get; init; }

    public required DrainState Drain { get; init; }

    public required MessageValidationOptions Validation { get; init; }

    public InitManager Init { get; } = new();

    public IClusterManager Clusters { get; set; } = null!;

    public ISecretManager Secrets { get; set; } = null!;

    public ISubscriptionFactory Subscriptions { get; set; } = null!;

    /// <summary>TLS contexts in use, for /certs.</summary>
    public TlsContextManager TlsContexts { get; } = new();

    public TransportSockets TransportSockets => field ??= new TransportSockets(TlsContexts);

    public Singletons Singletons { get; } = new();

    public OverloadState Overload { get; } = new();

    public ServerHealth Health { get; } = new();
}
