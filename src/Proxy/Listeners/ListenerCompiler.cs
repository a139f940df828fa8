using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Transport;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Listeners;

/// <summary>
/// Turns a validated Listener message into a <see cref="CompiledListener"/>; refuses with Envoy's reasons what cannot serve.
/// </summary>
internal sealed class ListenerCompiler(ListenerCompilerServices services)
{
    /// <summary>Envoy's default of per_connection_buffer_limit_bytes: 1 MiB.</summary>
    private const uint DefaultBufferLimit = 1024 * 1024;

    /// <summary>Envoy's default of listener_filters_timeout.</summary>
    private static readonly TimeSpan DefaultFiltersTimeout = TimeSpan.FromSeconds(15);

    /// <param name="name">The resource's name, or a made-up one for listeners without.</param>
    /// <param name="previous">What serves now under that name: where only filter chains change, the unchanged ones are kept as they are.</param>
    public CompiledListener Compile(Listener listener, string name, CompiledListener? previous)
    {
        if (listener.UdpListenerConfig is not null || IsUdp(listener.Address))
        {
            throw new ConfigurationException($"error adding listener '{name}': UDP listeners are not supported; remove udp_listener_config.");
        }
        ListenerChecks.Check(listener, name);
        var isInternal = listener.InternalListener is not null;
        var addresses = Addresses(listener, name, isInternal);
        var inPlace = previous is not null && ListenerComparison.OnlyChainsDiffer(previous.Definition, listener);
        var scope = inPlace ? previous!.Scope : services.ServerScope.Scope(
            "listener." + (listener.StatPrefix.Length > 0 ? listener.StatPrefix : StatName(addresses[0].Address)));
        // An in-place update keeps the drain state too: kept chains hang on it.
        var drain = inPlace ? previous!.Drain : new DrainState(services.ProcessDrain, services.Strategy, services.DrainTime)
        {
            Health = listener.DrainTypeValue == Listener.DrainType.ModifyOnly ? null : services.Health,
            Inbound = listener.TrafficDirection == TrafficDirection.Inbound,
        };
        var facts = new ListenerFacts(
            name, (int)listener.TrafficDirection, MetadataConversion.ToMetadata(listener.Metadata));
        var init = new InitManager();
        var owner = new ListenerOwner(scope, facts, init, drain);
        var chains = CompileChains(listener, name, owner, inPlace ? previous : null, out var matcher, out var defaultChain);
        return new CompiledListener
        {
            Name = name,
            Definition = listener,
            Addresses = addresses,
            BindToPort = listener.BindToPort ?? listener.DeprecatedV1Value?.BindToPort ?? true,
            UseOriginalDestination = listener.UseOriginalDst ?? false,
            IsInternal = isInternal,
            MaxConnectionsPerSocketEvent = (int)(listener.MaxConnectionsToAcceptPerSocketEvent ?? 0),
            ListenerFilters = CompileListenerFilters(listener, name, owner),
            ListenerFiltersTimeout = listener.ListenerFiltersTimeout ?? DefaultFiltersTimeout,
            ContinueOnListenerFiltersTimeout = listener.ContinueOnListenerFiltersTimeout,
            BufferLimit = listener.PerConnectionBufferLimitBytes ?? DefaultBufferLimit,
            Matcher = matcher,
            MatchTree = listener.FilterChainMatcher is { } tree
                ? services.CompileMatchTree(tree, chains, services.Context(owner, drain))
                : null,
            FilterChains = chains,
            DefaultFilterChain = defaultChain,
            AccessLogs = services.CompileAccessLogs(listener.AccessLog, services.Context(owner, drain)),
            Failures = FailureLog.Of(services.Context(owner, drain).Singletons),
            Facts = facts,
            DrainType = (DrainType)listener.DrainTypeValue,
            Scope = scope,
            Stats = inPlace ? previous!.Stats : scope.Block(ListenerStat.Layout),
            Limit = inPlace ? previous!.Limit : new ConnectionLimit(() => services.Runtime.GetInteger(
                $"envoy.resource_limits.listener.{name}.connection_limit", ulong.MaxValue)),
            Init = init,
            Drain = drain,
            IgnoreGlobalConnectionLimit = listener.IgnoreGlobalConnLimit,
            BypassOverload = listener.BypassOverloadManager,
        };
    }

    /// <summary>`listener.STATNAME.`: the address with `:` as `_`.</summary>
    internal static string StatName(EndPoint address) => Configuration.Addresses.Format(address).Replace(':', '_');

    private List<CompiledFilterChain> CompileChains(
        Listener listener, string name, ListenerOwner owner, CompiledListener? previous,
        out FilterChainMatcher matcher, out CompiledFilterChain? defaultChain)
    {
        var kept = new Dictionary<Xds.Protobuf.Message, CompiledFilterChain>();
        foreach (var chain in previous?.AllChains ?? [])
        {
            kept.TryAdd(chain.Definition, chain);
        }
        matcher = new FilterChainMatcher();
        var chains = new List<CompiledFilterChain>();
        var byTree = listener.FilterChainMatcher is not null;
        foreach (var chain in listener.FilterChains)
        {
            var compiled = CompileChain(chain, name, owner, kept);
            chains.Add(compiled);
            if (byTree)
            {
                RequireUniqueName(chain, chains, name);
                continue;
            }
            var criteria = FilterChainCriteriaCompiler.Compile(chain.FilterChainMatch, name);
            if (matcher.Add(criteria, compiled) is { } taken)
            {
                if (!ReferenceEquals(taken, compiled) && IsShadow(compiled, taken))
                {
                    services.Unsupported.Note(
                        $"filter chain '{compiled.Name}' of listener '{name}', which matches what '{taken.Name}' matches", UnsupportedEffect.Ignored);
                    continue;
                }
                throw new ConfigurationException(ReferenceEquals(taken, compiled)
                    ? $"error adding listener '{name}': multiple filter chains with overlapping matching rules are defined; '{chain.Name}' names a value twice"
                    : $"error adding listener '{name}': filter chain '{chain.Name}' has the same matching rules defined as '{taken.Name}'");
            }
        }
        defaultChain = listener.DefaultFilterChain is { } fallback ? CompileChain(fallback, name, owner, kept) : null;
        if (chains.Count == 0 && defaultChain is null)
        {
            throw new ConfigurationException($"error adding listener '{name}': no filter chains specified");
        }
        return chains;
    }

    // Chains that only carry bytes, behind the same transport socket and the same filters: whichever serves, nothing is open
    // that the other closes. istiod sends such a pair for a service whose port the pod does not have, and refusing it, as
    // Envoy does, would take all inbound traffic from the pod.
    private static bool IsShadow(CompiledFilterChain chain, CompiledFilterChain taken)
    {
        var own = new FilterChain(chain.Definition);
        var other = new FilterChain(taken.Definition);
        var last = own.Filters.Count - 1;
        if (last < 0 || other.Filters.Count != own.Filters.Count || !SameMessage(own.TransportSocket?.Message, other.TransportSocket?.Message))
        {
            return false;
        }
        for (var i = 0; i < last; i++)
        {
            if (!own.Filters[i].Message.Equals(other.Filters[i].Message))
            {
                return false;
            }
        }
        return IsTcpProxy(own.Filters[last]) && IsTcpProxy(other.Filters[last]);
    }

    private static bool SameMessage(Xds.Protobuf.Message? one, Xds.Protobuf.Message? other) =>
        one is null ? other is null : one.Equals(other);

    private static bool IsTcpProxy(Filter filter) =>
        filter.TypedConfig?.TypeName == Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor.FullName;

    private static void RequireUniqueName(FilterChain chain, List<CompiledFilterChain> chains, string name)
    {
        if (chain.Name.Length == 0)
        {
            throw new ConfigurationException(
                $"error adding listener '{name}': \"name\" field is required when using \"filter_chain_matcher\"");
        }
        if (chains.Count(c => c.Name == chain.Name) > 1)
        {
            throw new ConfigurationException(
                $"error adding listener '{name}': \"name\" field is duplicated with value '{chain.Name}'");
        }
    }

    private CompiledFilterChain CompileChain(
        FilterChain chain, string listenerName, ListenerOwner owner, Dictionary<Xds.Protobuf.Message, CompiledFilterChain> kept)
    {
        if (kept.TryGetValue(chain.Message, out var same))
        {
            return same;
        }
        // A removed chain asks its connections to end at their next opportunity, whatever the strategy.
        var drain = new DrainState(owner.Drain, DrainStrategy.Immediate, services.DrainTime);
        var context = services.Context(owner, drain);
        try
        {
            return new CompiledFilterChain
            {
                Name = chain.Name,
                Definition = chain.Message,
                TransportSocket = services.CompileTransportSocket(chain.TransportSocket, context),
                Filters = CompileNetworkFilters(chain, listenerName, context),
                TransportSocketConnectTimeout = chain.TransportSocketConnectTimeout ?? TimeSpan.Zero,
                Metadata = MetadataConversion.ToMetadata(chain.Metadata),
                Drain = drain,
                Context = context,
            };
        }
        catch
        {
            context.Release();
            throw;
        }
    }

    private List<INetworkFilterConfig> CompileNetworkFilters(FilterChain chain, string listenerName, FactoryContext context)
    {
        var compiled = new List<INetworkFilterConfig>();
        var count = chain.Filters.Count;
        for (var i = 0; i < count; i++)
        {
            var filter = chain.Filters[i];
            var where = $"error adding listener '{listenerName}'";
            if (filter.ConfigDiscovery is { } discovery)
            {
                compiled.Add(services.CompileDiscovered(filter.Name, discovery, isLast: i == count - 1, context));
                continue;
            }
            var factory = Extensions.FindNetwork(filter.Name, filter.TypedConfig?.TypeName ?? "")
                ?? throw Unknown(where, filter.Name, filter.TypedConfig, "envoy.filters.network");
            var config = services.Unpack(filter.TypedConfig, factory.ConfigType, $"filters[{i}] '{filter.Name}'");
            var terminal = factory.IsTerminal(config);
            if (terminal && i != count - 1)
            {
                throw new ConfigurationException(
                    $"{where}: Error: terminal filter named {filter.Name} of type {factory.Name} must be the last filter in a network filter chain.");
            }
            if (!terminal && i == count - 1)
            {
                throw new ConfigurationException(
                    $"{where}: Error: non-terminal filter named {filter.Name} of type {factory.Name} is the last filter in a network filter chain.");
            }
            compiled.Add(factory.Compile(config, context));
        }
        return compiled;
    }

    private List<CompiledListenerFilter> CompileListenerFilters(Listener listener, string name, ListenerOwner owner)
    {
        var compiled = new List<CompiledListenerFilter>();
        var context = services.Context(owner, owner.Drain);
        foreach (var filter in listener.ListenerFilters)
        {
            var factory = Extensions.FindListener(filter.Name, filter.TypedConfig?.TypeName ?? "")
                ?? throw Unknown($"error adding listener '{name}'", filter.Name, filter.TypedConfig, "envoy.filters.listener");
            var config = services.Unpack(filter.TypedConfig, factory.ConfigType, $"listener_filters '{filter.Name}'");
            var disabled = filter.FilterDisabled is { } predicate ? ListenerFilterPredicate.Compile(predicate) : null;
            compiled.Add(new CompiledListenerFilter(factory.Compile(config, context), disabled));
        }
        // The older flags stand for filters behind those that are listed, as in Envoy.
        if (listener.UseOriginalDst == true)
        {
            compiled.Add(Implied("envoy.filters.listener.original_dst", context));
        }
        if (listener.FilterChains.Count > 0 && listener.FilterChains[0].UseProxyProto == true)
        {
            compiled.Add(Implied("envoy.filters.listener.proxy_protocol", context));
        }
        return compiled;
    }

    private CompiledListenerFilter Implied(string name, FactoryContext context)
    {
        var factory = Extensions.FindListener(name, null)!;
        return new CompiledListenerFilter(factory.Compile(services.Unpack(null, factory.ConfigType, name), context), null);
    }

    private List<ListenerAddress> Addresses(Listener listener, string name, bool isInternal)
    {
        if (isInternal)
        {
            if (!services.InternalListenersEnabled)
            {
                throw new ConfigurationException(
                    $"error adding listener named '{name}': internal listeners need the bootstrap extension envoy.bootstrap.internal_listener.");
            }
            return [new ListenerAddress(new InternalEndPoint(name, ""), new ListenOptions())];
        }
        if (listener.Address is not { } main)
        {
            throw new ConfigurationException($"error adding listener named '{name}': address is necessary");
        }
        var addresses = new List<ListenerAddress> { Address(main, listener, listener.SocketOptions) };
        foreach (var additional in listener.AdditionalAddresses)
        {
            var address = additional.Address ?? throw new ConfigurationException(
                $"error adding listener named '{name}': additional_addresses[{addresses.Count - 1}] has no address");
            addresses.Add(Address(address, listener,
                additional.SocketOptions is { } own ? own.SocketOptions : listener.SocketOptions));
        }
        return addresses;
    }

    private static ListenerAddress Address(
        Address address, Listener listener, Xds.Protobuf.MessageList<Envoy.Config.Core.V3.SocketOption> options)
    {
        var endPoint = Configuration.Addresses.Resolve(address);
        var socketOptions = new List<Transport.SocketOption>();
        foreach (var option in options)
        {
            if (option.State == Envoy.Config.Core.V3.SocketOption.SocketState.StateListening)
            {
                continue;
            }
            socketOptions.Add(SocketOptionConversion.Convert(option));
        }
        return new ListenerAddress(endPoint, new ListenOptions
        {
            Backlog = (int)(listener.TcpBacklogSize ?? 0),
            ReusePort = endPoint is IPEndPoint && (listener.EnableReusePort ?? true),
            Transparent = listener.Transparent ?? false,
            FreeBind = listener.Freebind ?? false,
            Ipv4Compatible = address.SocketAddress?.Ipv4Compat ?? false,
            Mode = address.Pipe?.Mode ?? 0,
            SocketOptions = socketOptions,
        });
    }

    private static bool IsUdp(Address? address) =>
        address?.SocketAddress?.ProtocolValue == Envoy.Config.Core.V3.SocketAddress.Protocol.Udp;

    private static ConfigurationException Unknown(string where, string name, Xds.Protobuf.Any? config, string category) => new(
        $"{where}: Didn't find a registered implementation for '{name}' with type URL: '{config?.TypeName ?? ""}'; use one of the {category} filters this proxy knows.");
}

/// <summary>What belongs to the listener being compiled, for the context of its filters.</summary>
internal sealed record ListenerOwner(IStatsScope Scope, ListenerFacts Facts, InitManager Init, DrainState Drain);
