namespace MeshProxy.Proxy.Upstream;

/// <summary>Hosts grouped by locality: the node's own locality first, the others sorted by region, zone and sub-zone.</summary>
internal sealed class HostsPerLocality(Locality[] localities, HostImpl[][] hosts, bool hasLocalLocality)
{
    public Locality[] Localities { get; } = localities;

    public HostImpl[][] Hosts { get; } = hosts;

    /// <summary>The first group is the node's own locality.</summary>
    public bool HasLocalLocality { get; } = hasLocalLocality;

    public int Count => Hosts.Length;

    public static HostsPerLocality Group(HostImpl[] hosts, Locality? own)
    {
        var groups = new Dictionary<Locality, List<HostImpl>>();
        foreach (var host in hosts)
        {
            if (!groups.TryGetValue(host.Locality, out var group))
            {
                groups[host.Locality] = group = [];
            }
            group.Add(host);
        }
        var hasOwn = own is not null && groups.ContainsKey(own);
        var order = groups.Keys.ToArray();
        Array.Sort(order, (left, right) => hasOwn && left == own ? (right == own ? 0 : -1)
            : hasOwn && right == own ? 1
            : Compare(left, right));
        return new HostsPerLocality(order, Array.ConvertAll(order, locality => groups[locality].ToArray()), hasOwn);
    }

    /// <summary>The same groups with fewer hosts; empty groups stay, so that indices agree.</summary>
    public HostsPerLocality Filter(Predicate<HostImpl> keep) =>
        new(Localities, Array.ConvertAll(Hosts, group => Array.FindAll(group, keep)), HasLocalLocality);

    private static int Compare(Locality left, Locality right)
    {
        var order = string.CompareOrdinal(left.Region, right.Region);
        order = order != 0 ? order : string.CompareOrdinal(left.Zone, right.Zone);
        return order != 0 ? order : string.CompareOrdinal(left.SubZone, right.SubZone);
    }
}
