using System.Net;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using HttpConnectionManager = MeshProxy.Proxy.Http.ConnectionManager.HttpConnectionManager;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;

namespace MeshProxy.Proxy.Admin;

/// <summary>
/// The admin interface's listener on the main loop: the proxy's own connection manager with <see cref="AdminFilter"/> at its
/// end, as in Envoy, so that its answers are Envoy's to the byte.
/// </summary>
internal sealed class AdminListener
{
    private readonly ListenSocket _socket;

    /// <exception cref="IOException">The address cannot be bound.</exception>
    public AdminListener(Envoy.Config.Bootstrap.V3.Admin admin, EventLoop mainLoop, FactoryContext context, DrainState drain, AdminHandler handler)
    {
        var address = Addresses.Resolve(admin.Address!.Value);
        var options = new ListenOptions { ReusePort = false };
        _socket = ListenSocket.Open(address, options);
        var worker = new WorkerListeners(mainLoop, new ConnectionLimit(static () => ulong.MaxValue), context.Overload);
        var listener = worker.Add(Compile(admin, address, options, context, drain, handler));
        listener.Listen([_socket], paused: false);
    }

    public EndPoint Address => _socket.LocalAddress;

    private static CompiledListener Compile(
        Envoy.Config.Bootstrap.V3.Admin admin, EndPoint address, ListenOptions options, FactoryContext context, DrainState drain, AdminHandler handler)
    {
        var chain = new CompiledFilterChain
        {
            Name = "admin",
            Definition = Envoy.Config.Listener.V3.FilterChain.New().Message,
            TransportSocket = RawBufferSocketFactory.Instance,
            Filters = [new Door(Manager(admin, context, handler))],
            TransportSocketConnectTimeout = TimeSpan.Zero,
            Metadata = new DynamicMetadata(),
            Drain = drain,
        };
        return new CompiledListener
        {
            Name = "admin",
            Definition = Envoy.Config.Listener.V3.Listener.New(),
            Addresses = [new ListenerAddress(address, options)],
            BindToPort = true,
            UseOriginalDestination = false,
            IsInternal = false,
            MaxConnectionsPerSocketEvent = 0,
            ListenerFilters = [],
            ListenerFiltersTimeout = TimeSpan.Zero,
            ContinueOnListenerFiltersTimeout = false,
            BufferLimit = 1024 * 1024,
            Matcher = new FilterChainMatcher(),
            FilterChains = [],
            DefaultFilterChain = chain,
            AccessLogs = [],
            Facts = new ListenerFacts("admin", 0, new DynamicMetadata()),
            DrainType = DrainType.Default,
            Scope = context.Scope,
            Stats = context.Scope.Block(ListenerStat.Layout),
            Limit = new ConnectionLimit(static () => ulong.MaxValue),
            Init = context.Init,
            Drain = drain,
            IgnoreGlobalConnectionLimit = true,
            BypassOverload = true,
        };
    }

    private static HttpConnectionManagerConfig Manager(
        Envoy.Config.Bootstrap.V3.Admin admin, FactoryContext context, AdminHandler handler)
    {
        var message = Config.New();
        message.StatPrefix = "admin";
        message.UseRemoteAddress = true;
        message.RouteConfig = RouteConfiguration.New();
        var router = HttpFilter.New();
        router.Name = "envoy.filters.http.router";
        router.TypedConfig = Any.Pack(Envoy.Extensions.Filters.Http.Router.V3.Router.New());
        message.HttpFilters.Add(router);
        var compiled = new HttpConnectionManagerCompiler(message, context).Compile();
        return compiled with
        {
            Filters = [new HttpFilterEntry("envoy.filters.http.admin", new AdminFilter(handler, new AllowedPaths(admin.AllowPaths)), false)],
            AccessLogs = [.. AccessLogCompiler.Compile(admin.AccessLog, context)],
        };
    }

    private sealed class Door(HttpConnectionManagerConfig config) : INetworkFilterConfig
    {
        public void CreateFilter(Connection connection) => connection.AddReadFilter(new HttpConnectionManager(config));
    }
}
