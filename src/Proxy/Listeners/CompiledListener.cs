using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Transport;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Listeners;

/// <summary>listener.drain_type.</summary>
public enum DrainType
{
    /// <summary>Also drains on /healthcheck/fail.</summary>
    Default,
    ModifyOnly,
}

/// <summary>One address a listener is reached at.</summary>
public sealed record ListenerAddress(EndPoint Address, ListenOptions Options);

/// <summary>A listener filter and the ports it leaves alone (filter_disabled).</summary>
public sealed record CompiledListenerFilter(IListenerFilterConfig Config, Func<ConnectionInfo, bool>? Disabled);

/// <summary>A listener ready to serve: validated, immutable, shared by all loops.</summary>
public sealed class CompiledListener
{
    public required string Name { get; init; }

    /// <summary>As received, for /config_dump and to tell whether an update changes anything.</summary>
    public required Listener Definition { get; init; }

    /// <summary>The main address first, then additional_addresses.</summary>
    public required IReadOnlyList<ListenerAddress> Addresses { get; init; }

    /// <summary>False for virtual listeners that only take connections handed over by use_original_dst.</summary>
    public required bool BindToPort { get; init; }

    public required bool UseOriginalDestination { get; init; }

    /// <summary>Not empty for internal listeners, which have no socket.</summary>
    public required bool IsInternal { get; init; }

    public required int MaxConnectionsPerSocketEvent { get; init; }

    public required IReadOnlyList<CompiledListenerFilter> ListenerFilters { get; init; }

    /// <summary>Zero waits for ever.</summary>
    public required TimeSpan ListenerFiltersTimeout { get; init; }

    public required bool ContinueOnListenerFiltersTimeout { get; init; }

    /// <summary>per_connection_buffer_limit_bytes; default 1 MiB.</summary>
    public required uint BufferLimit { get; init; }

    public required FilterChainMatcher Matcher { get; init; }

    /// <summary>filter_chain_matcher; when set it decides instead of <see cref="Matcher"/>.</summary>
    public Func<ConnectionInfo, StreamInfo, CompiledFilterChain?>? MatchTree { get; init; }

    public required IReadOnlyList<CompiledFilterChain> FilterChains { get; init; }

    public required CompiledFilterChain? DefaultFilterChain { get; init; }

    public required IReadOnlyList<IAccessLog> AccessLogs { get; init; }

    /// <summary>Hears of connections that fail before a filter answers for them; null where nobody asks.</summary>
    public FailureLog? Failures { get; init; }

    public required ListenerFacts Facts { get; init; }

    public required DrainType DrainType { get; init; }

    public required IStatsScope Scope { get; init; }

    public required StatBlock Stats { get; init; }

    public required ConnectionLimit Limit { get; init; }

    /// <summary>What must come before it may serve: routes, secrets, …</summary>
    public required InitManager Init { get; init; }

    public required DrainState Drain { get; init; }

    public required bool IgnoreGlobalConnectionLimit { get; init; }

    /// <summary>Overload neither refuses nor delays its connections (bypass_overload_manager).</summary>
    public required bool BypassOverload { get; init; }

    public IEnumerable<CompiledFilterChain> AllChains =>
        DefaultFilterChain is null ? FilterChains : FilterChains.Append(DefaultFilterChain);

    /// <summary>The chain for a connection whose facts are known; null closes it.</summary>
    public CompiledFilterChain? FindFilterChain(ConnectionInfo info, StreamInfo streamInfo) =>
        (MatchTree is null ? Matcher.Find(info) : MatchTree(info, streamInfo)) ?? DefaultFilterChain;
}
