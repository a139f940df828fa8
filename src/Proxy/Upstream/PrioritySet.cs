namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// The priorities of a cluster. Written on the main loop; readers on any loop take the snapshot of the moment.
/// </summary>
internal sealed class PrioritySet
{
    private volatile HostSet[] _sets = [];
    private volatile Dictionary<string, HostImpl>? _byAddress;

    /// <summary>All priorities, at least one; an array never changed after it was published.</summary>
    public HostSet[] Sets => _sets;

    /// <summary>Hosts were added or removed, or their health or weights changed; on the main loop, after the new snapshot is visible.</summary>
    public event Action<HostSetChange>? Changed;

    public int HostCount
    {
        get
        {
            var count = 0;
            foreach (var set in _sets)
            {
                count += set.Hosts.Length;
            }
            return count;
        }
    }

    /// <summary>Replaces all priorities at once.</summary>
    public void Update(HostSet[] sets, IReadOnlyCollection<HostImpl> added, IReadOnlyCollection<HostImpl> removed)
    {
        _sets = sets;
        _byAddress = null;
        Changed?.Invoke(new HostSetChange(added, removed));
    }

    /// <summary>Sorts the hosts again by their flags: health changed, membership did not.</summary>
    public void Resort()
    {
        _sets = Array.ConvertAll(_sets, set => set.Resorted());
        Changed?.Invoke(HostSetChange.HealthOnly);
    }

    /// <summary>Finds a host of any priority by its address text (override hosts).</summary>
    public HostImpl? Find(string address)
    {
        var map = _byAddress;
        if (map is null)
        {
            map = new Dictionary<string, HostImpl>(StringComparer.Ordinal);
            foreach (var set in _sets)
            {
                foreach (var host in set.Hosts)
                {
                    map[host.AddressText] = host;
                }
            }
            _byAddress = map;
        }
        return map.GetValueOrDefault(address);
    }
}

internal sealed record HostSetChange(IReadOnlyCollection<HostImpl> Added, IReadOnlyCollection<HostImpl> Removed)
{
    public static readonly HostSetChange HealthOnly = new([], []);

    public bool MembershipChanged => Added.Count > 0 || Removed.Count > 0;

    /// <summary>The priorities whose membership changed.</summary>
    public HashSet<uint> Priorities
    {
        get
        {
            var priorities = new HashSet<uint>();
            foreach (var host in Added)
            {
                priorities.Add(host.Priority);
            }
            foreach (var host in Removed)
            {
                priorities.Add(host.Priority);
            }
            return priorities;
        }
    }
}
