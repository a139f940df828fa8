using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Server;

/// <summary>The context of one owner (listener, cluster, or the server itself): the process-wide part and what is the owner's own.</summary>
internal sealed class OwnerContext(
    ServerContext server, IStatsScope scope, InitManager init, ListenerFacts? listener, IDrainDecision drain) : FactoryContext
{
    public override IClusterManager Clusters => server.Clusters;

    public override IStatsScope Scope => scope;

    public override IStatsScope ServerScope => server.Scope;

    public override EventLoop MainLoop => server.MainLoop;

    public override IReadOnlyList<EventLoop> Workers => server.Workers;

    public override Node Node => server.Node;

    public override IRuntime Runtime => server.Runtime;

    public override AccessLogManager AccessLogs => server.AccessLogs;

    public override ISecretManager Secrets => server.Secrets;

    public override InitManager Init => init;

    public override MessageValidationOptions Validation => server.Validation;

    public override ISubscriptionFactory Subscriptions => server.Subscriptions;

    public override ListenerFacts? Listener => listener;

    public override IDrainDecision Drain => drain;

    public override Singletons Singletons => server.Singletons;

    public override OverloadState Overload => server.Overload;

    public override ServerHealth Health => server.Health;
}
