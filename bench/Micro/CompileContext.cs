using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Bench.Micro;

/// <summary>What compiling a route table may use without a server around it: statistics alone.</summary>
internal sealed class CompileContext : FactoryContext
{
    private readonly StatsStore _store = new(1);

    public override IClusterManager Clusters => throw NoServer();
    public override IStatsScope Scope => _store.Root;
    public override IStatsScope ServerScope => _store.Root;
    public override EventLoop MainLoop => throw NoServer();
    public override IReadOnlyList<EventLoop> Workers => [];
    public override Envoy.Config.Core.V3.Node Node => Envoy.Config.Core.V3.Node.New();
    public override IRuntime Runtime => throw NoServer();
    public override AccessLogManager AccessLogs => throw NoServer();
    public override ISecretManager Secrets => throw NoServer();
    public override InitManager Init { get; } = new();
    public override MessageValidationOptions Validation => new(true);
    public override ISubscriptionFactory Subscriptions => throw NoServer();
    public override ListenerFacts? Listener => null;
    public override IDrainDecision Drain => throw NoServer();
    public override Singletons Singletons { get; } = new();
    public override OverloadState Overload { get; } = new();
    public override ServerHealth Health { get; } = new();

    private static NotSupportedException NoServer() => new("The micro-benchmarks compile routes without a server.");
}
