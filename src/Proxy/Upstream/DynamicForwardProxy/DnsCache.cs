using System.Collections.Concurrent;
using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Dns;

namespace MeshProxy.Proxy.Upstream.DynamicForwardProxy;

/// <summary>
/// Names met in traffic with their addresses, refreshed until nobody uses them (Envoy's DnsCache). Shared by filters and
/// clusters that name the same cache. Asked on any loop; kept on the main loop.
/// </summary>
internal sealed class DnsCache
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("cache_load", StatKind.Counter),
        ("dns_query_attempt", StatKind.Counter),
        ("dns_query_failure", StatKind.Counter),
        ("dns_query_success", StatKind.Counter),
        ("dns_query_timeout", StatKind.Counter),
        ("host_added", StatKind.Counter),
        ("host_address_changed", StatKind.Counter),
        ("host_overflow", StatKind.Counter),
        ("host_removed", StatKind.Counter),
        ("dns_rq_pending_overflow", StatKind.Counter),
        ("num_hosts", StatKind.Gauge),
    ]);

    private readonly ConcurrentDictionary<string, DnsCacheEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<DnsCacheEntry, List<Action>> _waiting = [];
    private readonly EventLoop _mainLoop;
    private readonly DnsCacheOptions _options;
    private readonly StatBlock _stats;
    private int _pending;

    private DnsCache(DnsCacheOptions options, EventLoop mainLoop, IStatsScope stats)
    {
        _options = options;
        _mainLoop = mainLoop;
        _stats = stats.Scope("dns_cache." + options.Name).Block(Layout);
        foreach (var (host, port) in options.Preresolved)
        {
            if (Split(port == 0 ? host : $"{host}:{port}", defaultPort: 443) is { } name)
            {
                Add(name);
            }
        }
    }

    /// <summary>An entry's addresses changed (true), or it went (false). Main loop.</summary>
    public event Action<DnsCacheEntry, bool>? Changed;

    /// <summary>The cache of that name, made at first use; two configurations of one name must be equal.</summary>
    public static DnsCache Get(Envoy.Extensions.Common.DynamicForwardProxy.V3.DnsCacheConfig config, FactoryContext context)
    {
        var shared = context.Singletons.Get(
            config.Name, () => new Shared(config, new DnsCache(new DnsCacheOptions(config), context.MainLoop, context.ServerScope)));
        return shared.Config.Message.Equals(config.Message)
            ? shared.Cache
            : throw new ConfigurationException($"config specified DNS cache '{config.Name}' with different settings; use one configuration for one name.");
    }

    /// <summary>Entries known, for a cluster that begins to listen; main loop.</summary>
    public IEnumerable<DnsCacheEntry> Entries => _entries.Values;

    /// <summary>What is known of a host; null if nothing yet. From any loop.</summary>
    public DnsCacheEntry? Find(string authority, int defaultPort) =>
        Split(authority, defaultPort) is { } name && _entries.TryGetValue(name.Key, out var entry) ? entry : null;

    /// <summary>
    /// Finds a host's addresses. When they have to be asked for, <paramref name="onReady"/> runs later on the calling loop.
    /// </summary>
    public DnsCacheResult Load(string authority, int defaultPort, EventLoop loop, Action onReady)
    {
        if (Split(authority, defaultPort) is not { } name)
        {
            return new DnsCacheResult(DnsCacheStatus.InCache, null);
        }
        if (_entries.TryGetValue(name.Key, out var entry) && entry.Resolved)
        {
            entry.Touch(loop.Now);
            return new DnsCacheResult(DnsCacheStatus.InCache, entry);
        }
        if (entry is null && _entries.Count >= _options.MaxHosts)
        {
            _stats.Inc(7);
            return new DnsCacheResult(DnsCacheStatus.HostOverflow, null);
        }
        if (Interlocked.Increment(ref _pending) > _options.MaxPending)
        {
            Interlocked.Decrement(ref _pending);
            _stats.Inc(9);
            return new DnsCacheResult(DnsCacheStatus.PendingOverflow, null);
        }
        _mainLoop.Post(() => Wait(name, () => loop.Post(() =>
        {
            Interlocked.Decrement(ref _pending);
            onReady();
        })));
        return new DnsCacheResult(DnsCacheStatus.Loading, null);
    }

    private void Wait(Name name, Action done)
    {
        var entry = Add(name);
        if (entry.Resolved)
        {
            done();
            return;
        }
        if (!_waiting.TryGetValue(entry, out var waiting))
        {
            _waiting[entry] = waiting = [];
        }
        waiting.Add(done);
    }

    private DnsCacheEntry Add(Name name)
    {
        if (_entries.TryGetValue(name.Key, out var known))
        {
            return known;
        }
        var entry = new DnsCacheEntry(name.Key, name.Host, name.Port);
        entry.Touch(_mainLoop.Now);
        _entries[name.Key] = entry;
        _stats.Inc(5);
        _stats.Add(10, 1);
        LoopTimer? timer = null;
        timer = _mainLoop.CreateTimer(() => Refresh(entry, timer!));
        Resolve(entry, timer);
        return entry;
    }

    private void Refresh(DnsCacheEntry entry, LoopTimer timer)
    {
        if (_mainLoop.Now - entry.LastUsed > _options.HostTtl.TotalMilliseconds)
        {
            _entries.TryRemove(entry.Key, out _);
            _stats.Inc(8);
            _stats.Add(10, -1);
            Changed?.Invoke(entry, false);
            return;
        }
        Resolve(entry, timer);
    }

    private void Resolve(DnsCacheEntry entry, LoopTimer timer)
    {
        _stats.Inc(1);
        _ = ResolveAsync(entry, timer);
    }

    private async Task ResolveAsync(DnsCacheEntry entry, LoopTimer timer)
    {
        using var limit = new CancellationTokenSource();
        if (_options.QueryTimeout > TimeSpan.Zero)
        {
            limit.CancelAfter(_options.QueryTimeout);
        }
        var answer = await Task.Run(() => _options.Resolver.ResolveAsync(entry.Host, _options.Family, limit.Token));
        var timedOut = limit.IsCancellationRequested;
        _mainLoop.Post(() => OnAnswer(entry, answer, timedOut, timer));
    }

    private void OnAnswer(DnsCacheEntry entry, DnsAnswer answer, bool timedOut, LoopTimer timer)
    {
        var first = !entry.Resolved;
        _stats.Inc(answer.Failure is null ? 3 : 2);
        if (timedOut)
        {
            _stats.Inc(4);
        }
        if (entry.Take(answer))
        {
            if (!first)
            {
                _stats.Inc(6);
            }
            Changed?.Invoke(entry, true);
        }
        timer.Arm(NextRefresh(answer));
        if (_waiting.Remove(entry, out var waiting))
        {
            foreach (var done in waiting)
            {
                done();
            }
        }
    }

    private TimeSpan NextRefresh(DnsAnswer answer)
    {
        if (answer.Addresses.Count == 0)
        {
            return _options.FailureRefreshRate;
        }
        var ttl = answer.MinTtl!.Value;
        return ttl <= TimeSpan.Zero || ttl == TimeSpan.MaxValue ? _options.RefreshRate
            : ttl < _options.MinRefreshRate ? _options.MinRefreshRate
            : ttl;
    }

    private static Name? Split(string authority, int defaultPort)
    {
        var text = authority.ToLowerInvariant();
        var colon = text.LastIndexOf(':');
        var bracket = text.LastIndexOf(']');
        var host = text;
        var port = defaultPort;
        if (colon > bracket && (bracket >= 0 || text.IndexOf(':') == colon))
        {
            host = text[..colon];
            if (!int.TryParse(text.AsSpan(colon + 1), out port) || port is < 1 or > IPEndPoint.MaxPort)
            {
                return null;
            }
        }
        var name = host.Trim('[', ']');
        return name.Length == 0 ? null : new Name($"{host}:{port}", name, port);
    }

    private readonly record struct Name(string Key, string Host, int Port);

    private sealed record Shared(Envoy.Extensions.Common.DynamicForwardProxy.V3.DnsCacheConfig Config, DnsCache Cache);
}

internal enum DnsCacheStatus
{
    InCache,
    Loading,
    HostOverflow,
    PendingOverflow,
}

/// <param name="Entry">Of <see cref="DnsCacheStatus.InCache"/>; null when the host cannot be a name.</param>
internal readonly record struct DnsCacheResult(DnsCacheStatus Status, DnsCacheEntry? Entry);
