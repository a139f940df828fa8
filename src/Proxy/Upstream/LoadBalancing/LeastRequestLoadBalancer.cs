namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>LEAST_REQUEST: the least busy of a few random hosts (or of all); weights scaled by what is active when they differ.</summary>
internal sealed class LeastRequestLoadBalancer(
    PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options, LeastRequestOptions leastRequest)
    : EdfLoadBalancer(hosts, environment, options)
{
    protected override double BaseWeight(HostImpl host)
    {
        var bias = leastRequest.ActiveRequestBias();
        if (bias == 0.0)
        {
            return host.Weight;
        }
        var active = Active(host) + 1;
        return host.Weight / (bias == 1.0 ? active : Math.Pow(active, bias));
    }

    protected override HostImpl PickUnweighted(SourceState state, HostImpl[] hosts)
    {
        if (leastRequest.FullScan)
        {
            return FullScan(hosts);
        }
        var best = hosts[Draw(hosts.Length)];
        for (var i = 1; i < leastRequest.ChoiceCount; i++)
        {
            var other = hosts[Draw(hosts.Length)];
            if (Active(other) < Active(best))
            {
                best = other;
            }
        }
        return best;
    }

    // Ties are broken by reservoir sampling, so that equally idle hosts share evenly.
    private HostImpl FullScan(HostImpl[] hosts)
    {
        var best = hosts[0];
        var ties = 1;
        for (var i = 1; i < hosts.Length; i++)
        {
            var difference = Active(hosts[i]) - Active(best);
            if (difference < 0)
            {
                best = hosts[i];
                ties = 1;
            }
            else if (difference == 0 && Draw(++ties) == 0)
            {
                best = hosts[i];
            }
        }
        return best;
    }

    private int Draw(int count) => (int)(Environment.Random() % (ulong)count);

    private static long Active(HostImpl host) => Volatile.Read(ref host.Stats.RqActive);
}

/// <param name="ChoiceCount">Hosts drawn; Envoy's default is 2.</param>
internal sealed record LeastRequestOptions(uint ChoiceCount, Func<double> ActiveRequestBias, bool FullScan);

internal sealed class LeastRequestFactory(LoadBalancerOptions options, LeastRequestOptions leastRequest) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new LeastRequestLoadBalancer(hosts, environment, options, leastRequest);
}
