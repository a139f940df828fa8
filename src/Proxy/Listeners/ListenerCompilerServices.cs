using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Matcher = Xds.Type.Matcher.V3.Matcher;

namespace MeshProxy.Proxy.Listeners;

/// <summary>What compiling a listener needs of the server: other rooms' compilers and the process-wide state.</summary>
internal abstract class ListenerCompilerServices
{
    /// <summary>What is done with unknown fields of listeners that discovery brings.</summary>
    public virtual MessageValidationOptions Validation => new(RejectUnknownFields: false);

    /// <summary>Where is noted what is accepted without effect.</summary>
    public abstract UnsupportedFeatures Unsupported { get; }

    public abstract IStatsScope ServerScope { get; }

    public abstract IRuntime Runtime { get; }

    public abstract DrainState ProcessDrain { get; }

    public abstract ServerHealth Health { get; }

    public abstract DrainStrategy Strategy { get; }

    public abstract TimeSpan DrainTime { get; }

    /// <summary>The bootstrap extension envoy.bootstrap.internal_listener is there.</summary>
    public abstract bool InternalListenersEnabled { get; }

    /// <summary>False when configuration is only checked.</summary>
    public abstract bool OpenSockets { get; }

    /// <summary>What the server waits for before its workers start.</summary>
    public abstract InitManager ServerInit { get; }

    /// <summary>The context of filters of that listener, draining with <paramref name="drain"/>.</summary>
    public abstract FactoryContext Context(ListenerOwner owner, DrainState drain);

    /// <summary>Unpacks and validates an extension's configuration; an empty message of the type when there is none.</summary>
    public abstract Message Unpack(Any? config, string type, string where);

    public abstract IDownstreamTransportSocketFactory CompileTransportSocket(TransportSocket? socket, FactoryContext context);

    public abstract IReadOnlyList<IAccessLog> CompileAccessLogs(MessageList<AccessLog> logs, FactoryContext context);

    public abstract Func<ConnectionInfo, StreamInfo, CompiledFilterChain?> CompileMatchTree(
        Matcher tree, IReadOnlyList<CompiledFilterChain> chains, FactoryContext context);

    /// <summary>A network filter whose configuration comes by ECDS.</summary>
    public abstract INetworkFilterConfig CompileDiscovered(
        string name, ExtensionConfigSource source, bool isLast, FactoryContext context);
}
