namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>What discovery wants a cluster's hosts to be.</summary>
internal sealed class HostAssignment(HostSetPolicy policy)
{
    private readonly List<PriorityHosts> _priorities = [];

    public HostSetPolicy Policy { get; } = policy;

    public IReadOnlyList<PriorityHosts> Priorities => _priorities;

    public PriorityHosts Priority(uint priority)
    {
        while (_priorities.Count <= priority)
        {
            _priorities.Add(new PriorityHosts());
        }
        return _priorities[(int)priority];
    }

    /// <summary>Hosts of one priority, in the order given.</summary>
    internal sealed class PriorityHosts
    {
        public List<HostDescription> Hosts { get; } = [];

        public Dictionary<Locality, uint>? LocalityWeights { get; private set; }

        public void SetLocalityWeight(Locality locality, uint weight) => (LocalityWeights ??= [])[locality] = weight;
    }
}
