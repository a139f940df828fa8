using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>
/// What the policies that choose from lists have in common: priority by load, panic, locality by weight or by zone. The policy
/// then picks from the list of <see cref="HostsSource"/>. Derived state is renewed when the snapshot changed.
/// </summary>
internal abstract class ZoneAwareLoadBalancer : LoadBalancer
{
    private readonly PrioritySet _hosts;
    private readonly LoadBalancerOptions _options;
    private HostSet[]? _sets;
    private HostSet[]? _localSets;
    private PriorityLoads _loads = null!;
    private LocalityScheduler?[] _healthyLocalities = [];
    private LocalityScheduler?[] _degradedLocalities = [];
    private ZoneRouting? _zoneRouting;

    protected ZoneAwareLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options)
    {
        _hosts = hosts;
        _options = options;
        Environment = environment;
        Seed = environment.Random();
    }

    protected LoadBalancerEnvironment Environment { get; }

    protected PrioritySet AllHosts => _hosts;

    /// <summary>Random start of rotations, so that proxies do not march in step.</summary>
    protected ulong Seed { get; }

    public override HostImpl? ChooseHost(ILoadBalancerContext? context)
    {
        if (context is null)
        {
            return ChooseOnce(null);
        }
        HostImpl? host = null;
        for (var attempt = 0; attempt <= context.HostSelectionRetryCount; attempt++)
        {
            host = ChooseOnce(context);
            if (host is null || !context.ShouldSelectAnotherHost(host))
            {
                break;
            }
        }
        return host;
    }

    public override HostImpl? PeekAnotherHost(ILoadBalancerContext? context) =>
        SelectSource(context) is { } source ? Peek(source, source.Hosts(_sets!)) : null;

    protected abstract HostImpl? Pick(HostsSource source, HostImpl[] hosts, ILoadBalancerContext? context);

    protected virtual HostImpl? Peek(HostsSource source, HostImpl[] hosts) => null;

    private HostImpl? ChooseOnce(ILoadBalancerContext? context)
    {
        if (SelectSource(context) is not { } source)
        {
            return null;
        }
        var hosts = source.Hosts(_sets!);
        return hosts.Length == 0 ? null : Pick(source, hosts, context);
    }

    private HostsSource? SelectSource(ILoadBalancerContext? context)
    {
        Refresh();
        if (_sets!.Length == 0)
        {
            return null;
        }
        var (priority, degraded) = ChoosePriority(context);
        if (_loads.Panic[priority])
        {
            Environment.Traffic.Inc(ClusterStat.LbHealthyPanic);
            return _options.ZoneAware is { FailTrafficOnPanic: true } ? null : new HostsSource(priority, HostsSourceType.AllHosts);
        }
        var plain = new HostsSource(priority, degraded ? HostsSourceType.DegradedHosts : HostsSourceType.HealthyHosts);
        var ofLocality = degraded ? HostsSourceType.LocalityDegradedHosts : HostsSourceType.LocalityHealthyHosts;
        if (_options.LocalityWeighted)
        {
            var localities = degraded ? _degradedLocalities[priority] : _healthyLocalities[priority];
            return localities?.Pick() is { } index ? new HostsSource(priority, ofLocality, index) : plain;
        }
        return _zoneRouting is not null && priority == 0 ? SelectZone(plain, ofLocality) : plain;
    }

    private HostsSource? SelectZone(HostsSource plain, HostsSourceType ofLocality)
    {
        var zoneAware = _options.ZoneAware!;
        var random = Environment.Random();
        if (!Environment.Runtime.FeatureEnabled(
            "upstream.zone_routing.enabled", (uint)(zoneAware.RoutingEnabled * 10_000), 1_000_000, random))
        {
            return plain;
        }
        if (_localSets is { Length: > 0 } local && PriorityLoads.IsInPanic(local[0], PanicThreshold()))
        {
            Environment.Traffic.Inc(ClusterStat.LbLocalClusterNotOk);
            return zoneAware.FailTrafficOnPanic ? null : plain;
        }
        return new HostsSource(plain.Priority, ofLocality, _zoneRouting!.Choose(Environment));
    }

    private (int Priority, bool Degraded) ChoosePriority(ILoadBalancerContext? context)
    {
        if (context?.RetryPriority is { } retry)
        {
            return PriorityLoads.Choose(retry.DetermineLoad(PriorityLoads.Health(_sets!), _loads.AsLoad), Environment.Random());
        }
        return _loads.Healthy[0] == 100 ? (0, false) : PriorityLoads.Choose(_loads.AsLoad, Environment.Random());
    }

    private void Refresh()
    {
        var sets = _hosts.Sets;
        var local = _options.ZoneAware is null ? null : Environment.LocalHosts()?.Sets;
        if (ReferenceEquals(sets, _sets) && ReferenceEquals(local, _localSets))
        {
            return;
        }
        var old = _sets;
        _sets = sets;
        _localSets = local;
        _loads = PriorityLoads.Compute(sets, PanicThreshold());
        if (_options.LocalityWeighted)
        {
            RebuildLocalities(old, sets);
        }
        _zoneRouting = _options.ZoneAware is { } zoneAware && local is not null && sets.Length > 0
            ? ZoneRouting.Build(sets[0], local, zoneAware, Environment.Traffic)
            : null;
    }

    private uint PanicThreshold() =>
        (uint)Math.Min(100, Environment.Runtime.GetInteger("upstream.healthy_panic_threshold", _options.PanicThreshold));

    private void RebuildLocalities(HostSet[]? old, HostSet[] sets)
    {
        Array.Resize(ref _healthyLocalities, sets.Length);
        Array.Resize(ref _degradedLocalities, sets.Length);
        for (var i = 0; i < sets.Length; i++)
        {
            if (old is null || i >= old.Length || !ReferenceEquals(old[i], sets[i]))
            {
                _healthyLocalities[i] = LocalityScheduler.Build(sets[i], sets[i].HealthyPerLocality, Environment.Random());
                _degradedLocalities[i] = LocalityScheduler.Build(sets[i], sets[i].DegradedPerLocality, Environment.Random());
            }
        }
    }
}
