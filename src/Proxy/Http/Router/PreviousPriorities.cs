using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>envoy.retry_priorities.previous_priorities: retries leave the priorities already tried (upstream 13.3).</summary>
internal sealed class PreviousPriorities(int updateFrequency) : IRetryPriority
{
    private readonly List<uint> _attempted = [];
    private readonly HashSet<uint> _excluded = [];
    private PriorityLoad? _load;

    public void OnHostAttempted(Host host) => _attempted.Add(host.Priority);

    public PriorityLoad DetermineLoad(IReadOnlyList<PriorityHealth> priorities, PriorityLoad original)
    {
        if (_attempted.Count < updateFrequency)
        {
            return original;
        }
        if (_attempted.Count % updateFrequency == 0 || _load is null)
        {
            _excluded.UnionWith(_attempted);
            _load = Adjusted(priorities, original);
        }
        return _load;
    }

    private PriorityLoad Adjusted(IReadOnlyList<PriorityHealth> priorities, PriorityLoad original)
    {
        var weights = Weights(priorities);
        if (weights.Sum(weight => (long)weight) == 0)
        {
            // All have been tried: begin anew.
            _excluded.Clear();
            _attempted.Clear();
            weights = Weights(priorities);
            if (weights.Sum(weight => (long)weight) == 0)
            {
                return original;
            }
        }
        return new PriorityLoad(Shares(weights), new uint[priorities.Count]);
    }

    // Availability of each priority not excluded, in percent with overprovisioning of 1.4, filled up in order.
    private uint[] Weights(IReadOnlyList<PriorityHealth> priorities)
    {
        var weights = new uint[priorities.Count];
        for (var i = 0; i < weights.Length; i++)
        {
            var health = priorities[i];
            var total = health.Hosts - health.Excluded;
            weights[i] = _excluded.Contains((uint)i) || total <= 0
                ? 0
                : (uint)Math.Min(100, 140L * (health.Healthy + health.Degraded) / total);
        }
        return weights;
    }

    private static uint[] Shares(uint[] availability)
    {
        var total = Math.Min(100, availability.Sum(one => (long)one));
        var shares = new uint[availability.Length];
        var left = 100L;
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = (uint)Math.Min(left, availability[i] * 100L / total);
            left -= shares[i];
        }
        var first = Array.FindIndex(shares, share => share > 0);
        if (first >= 0)
        {
            shares[first] += (uint)left;
        }
        return shares;
    }
}
