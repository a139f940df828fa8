using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Matcher = Xds.Type.Matcher.V3.Matcher;

namespace MeshProxy.Proxy.Server;

/// <summary>Joins listeners with the other rooms' compilers.</summary>
internal class ListenerServices(ServerContext server, bool internalListeners) : ListenerCompilerServices
{
    public override MessageValidationOptions Validation => server.Validation;

    public override UnsupportedFeatures Unsupported => UnsupportedFeatures.Of(server.Singletons);

    public override IStatsScope ServerScope => server.Scope;

    public override IRuntime Runtime => server.Runtime;

    public override DrainState ProcessDrain => server.Drain;

    public override ServerHealth Health => server.Health;

    public override DrainStrategy Strategy => server.Options.DrainStrategy;

    public override TimeSpan DrainTime => server.Options.DrainTime;

    public override bool InternalListenersEnabled => internalListeners;

    public override bool OpenSockets => !server.Options.ValidateOnly;

    public override InitManager ServerInit => server.Init;

    public override FactoryContext Context(ListenerOwner owner, DrainState drain) =>
        new OwnerContext(server, owner.Scope, owner.Init, owner.Facts, drain);

    public override Message Unpack(Any? config, string type, string where) => ExtensionConfig.Unpack(config, type, where);

    public override IDownstreamTransportSocketFactory CompileTransportSocket(TransportSocket? socket, FactoryContext context) =>
        server.TransportSockets.CompileDownstream(socket, context);

    public override IReadOnlyList<IAccessLog> CompileAccessLogs(MessageList<AccessLog> logs, FactoryContext context) =>
        AccessLogCompiler.Compile(logs, context);

    public override Func<ConnectionInfo, StreamInfo, CompiledFilterChain?> CompileMatchTree(
        Matcher tree, IReadOnlyList<CompiledFilterChain> chains, FactoryContext context) =>
        FilterChainMatchTree.Compile(tree, chains, context);

    public override INetworkFilterConfig CompileDiscovered(
        string name, ExtensionConfigSource source, bool isLast, FactoryContext context) =>
        DiscoveredNetworkFilter.Follow(name, source, isLast, context);
}
