namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>client_side_weighted_round_robin: round robin by the weights that the hosts' load reports give.</summary>
internal sealed class ClientSideWeightedRoundRobin(
    PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options, LoadReportOptions reports)
    : EdfLoadBalancer(hosts, environment, options)
{
    private long _updated = environment.Now();
    private double _fallbackWeight = 1;
    private Dictionary<HostImpl, double> _weights = [];

    protected override bool AlwaysScheduled => true;

    protected override double BaseWeight(HostImpl host) => _weights.GetValueOrDefault(host, _fallbackWeight);

    protected override bool MustReschedule()
    {
        var now = Environment.Now();
        if (now - _updated < reports.WeightUpdatePeriod)
        {
            return false;
        }
        _updated = now;
        return UpdateWeights(now);
    }

    protected override HostImpl PickUnweighted(SourceState state, HostImpl[] hosts) => hosts[(int)(state.Index++ % (ulong)hosts.Length)];

    // Hosts that reported nothing of late weigh the median of those that did; without any all weigh the same.
    private bool UpdateWeights(long now)
    {
        var weights = new Dictionary<HostImpl, double>();
        foreach (var set in AllHosts.Sets)
        {
            foreach (var host in set.Hosts)
            {
                if (host.ReportedWeight is { } report && now - report.FirstReport >= reports.BlackoutPeriod
                    && now - report.LastReport < reports.ExpirationPeriod)
                {
                    weights[host] = report.Weight;
                }
            }
        }
        var median = Median(weights);
        var changed = median != _fallbackWeight || weights.Count != _weights.Count
            || weights.Any(pair => !_weights.TryGetValue(pair.Key, out var old) || old != pair.Value);
        _fallbackWeight = median;
        _weights = weights;
        return changed;
    }

    private static double Median(Dictionary<HostImpl, double> weights)
    {
        if (weights.Count == 0)
        {
            return 1;
        }
        var sorted = weights.Values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>Times in milliseconds.</summary>
/// <param name="ErrorPenalty">error_utilization_penalty.</param>
/// <param name="MetricNames">Named metrics that stand for utilization.</param>
internal sealed record LoadReportOptions(
    long BlackoutPeriod, long ExpirationPeriod, long WeightUpdatePeriod, double ErrorPenalty, IReadOnlyList<string> MetricNames);

/// <summary>A policy that wants the hosts' load reports.</summary>
internal interface IWantsLoadReports
{
    LoadReportOptions Reports { get; }
}

internal sealed class ClientSideWeightedRoundRobinFactory(LoadBalancerOptions options, LoadReportOptions reports)
    : ILoadBalancerFactory, IWantsLoadReports
{
    public LoadReportOptions Reports => reports;

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new ClientSideWeightedRoundRobin(hosts, environment, options, reports);

    /// <summary>The same within localities chosen by their weights (wrr_locality).</summary>
    public ClientSideWeightedRoundRobinFactory ByLocality() => new(options with { LocalityWeighted = true }, reports);
}
