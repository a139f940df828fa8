namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>
/// Base of the weighted policies: a plain pick while all weights are equal, a schedule by earliest deadline otherwise or while
/// hosts are starting slowly. Each list of hosts has its own state, renewed when the list is another one.
/// </summary>
internal abstract class EdfLoadBalancer : ZoneAwareLoadBalancer
{
    private readonly Dictionary<HostsSource, SourceState> _sources = [];
    private readonly SlowStartOptions? _slowStart;
    private readonly Func<HostImpl, double> _weight;

    protected EdfLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options)
        : base(hosts, environment, options)
    {
        _slowStart = options.SlowStart;
        _weight = host => HostWeight(host);
    }

    protected sealed override HostImpl? Pick(HostsSource source, HostImpl[] hosts, ILoadBalancerContext? context)
    {
        var state = StateOf(source, hosts);
        if (state.Schedule is { } schedule)
        {
            return schedule.PickAndAdd(_weight);
        }
        state.Peeked = Math.Max(0, state.Peeked - 1);
        return PickUnweighted(state, hosts);
    }

    protected sealed override HostImpl? Peek(HostsSource source, HostImpl[] hosts)
    {
        if (hosts.Length == 0)
        {
            return null;
        }
        // Nobody looks further ahead than once around.
        var state = StateOf(source, hosts);
        if (state.Schedule is { } schedule)
        {
            return schedule.Peeked >= hosts.Length ? null : schedule.PeekAgain(_weight);
        }
        if (state.Peeked >= hosts.Length || PeekUnweighted(state, hosts) is not { } host)
        {
            return null;
        }
        state.Peeked++;
        return host;
    }

    /// <summary>The weight an entry is scheduled with, before slow start.</summary>
    protected virtual double BaseWeight(HostImpl host) => host.Weight;

    /// <summary>Whether lists of equal weights need a schedule all the same.</summary>
    protected virtual bool AlwaysScheduled => false;

    /// <summary>Weights changed although the hosts did not: all schedules are made anew.</summary>
    protected virtual bool MustReschedule() => false;

    protected abstract HostImpl PickUnweighted(SourceState state, HostImpl[] hosts);

    protected virtual HostImpl? PeekUnweighted(SourceState state, HostImpl[] hosts) => null;

    private double HostWeight(HostImpl host)
    {
        var weight = BaseWeight(host);
        if (_slowStart is null || host.Health != HostHealth.Healthy)
        {
            return weight;
        }
        var elapsed = Environment.Now() - host.LastHealthyTime;
        if (elapsed >= _slowStart.WindowMilliseconds)
        {
            return weight;
        }
        var fraction = Math.Max(1, elapsed) / (double)_slowStart.WindowMilliseconds;
        var aggression = _slowStart.Aggression();
        var factor = aggression == 1.0 ? fraction : Math.Pow(fraction, 1.0 / aggression);
        return weight * Math.Max(factor, _slowStart.MinWeightPercent);
    }

    private SourceState StateOf(HostsSource source, HostImpl[] hosts)
    {
        if (!_sources.TryGetValue(source, out var state))
        {
            _sources[source] = state = new SourceState { Index = Seed };
        }
        if (MustReschedule())
        {
            foreach (var other in _sources.Values)
            {
                other.Hosts = null;
            }
        }
        if (!ReferenceEquals(state.Hosts, hosts))
        {
            state.Hosts = hosts;
            state.Schedule = AlwaysScheduled || !WeightsAreEqual(hosts) || AnyStartsSlowly(hosts)
                ? EdfScheduler<HostImpl>.CreateWithPicks(hosts, _weight, Seed)
                : null;
        }
        return state;
    }

    private bool AnyStartsSlowly(HostImpl[] hosts)
    {
        if (_slowStart is null)
        {
            return false;
        }
        var now = Environment.Now();
        foreach (var host in hosts)
        {
            if (now - host.LastHealthyTime <= _slowStart.WindowMilliseconds)
            {
                return true;
            }
        }
        return false;
    }

    private static bool WeightsAreEqual(HostImpl[] hosts)
    {
        for (var i = 1; i < hosts.Length; i++)
        {
            if (hosts[i].Weight != hosts[0].Weight)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>State of one list of hosts.</summary>
    protected sealed class SourceState
    {
        public HostImpl[]? Hosts { get; set; }

        public EdfScheduler<HostImpl>? Schedule { get; set; }

        /// <summary>Hosts peeked at since the last picks.</summary>
        public int Peeked { get; set; }

        /// <summary>Rotation, kept over updates of the list.</summary>
        public ulong Index { get; set; }
    }
}
