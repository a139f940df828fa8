using System.Net;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>
/// Turns an assignment into host sets: an endpoint of equal address, locality and hostname stays the same host, with its
/// health, counts and connections (upstream 1).
/// </summary>
internal sealed class HostUpdater(ClusterBase cluster)
{
    private Dictionary<HostKey, HostImpl> _known = [];

    /// <summary>Applies an assignment; false when nothing changed.</summary>
    public bool Apply(HostAssignment assignment)
    {
        var entry = cluster.Entry;
        var next = new Dictionary<HostKey, HostImpl>(_known.Count);
        var added = new List<HostImpl>();
        var old = entry.Hosts.Sets;
        var sets = new HostSet[Math.Max(1, Math.Max(assignment.Priorities.Count, old.Length))];
        var changed = old.Length == 0;
        for (var i = 0; i < sets.Length; i++)
        {
            var wanted = i < assignment.Priorities.Count ? assignment.Priorities[i] : null;
            var hosts = new List<HostImpl>(wanted?.Hosts.Count ?? 0);
            var before = i < old.Length ? old[i] : null;
            var hostsChanged = false;
            foreach (var facts in wanted?.Hosts ?? [])
            {
                var key = HostKey.Of(facts);
                if (next.ContainsKey(key))
                {
                    continue;
                }
                if (_known.TryGetValue(key, out var host))
                {
                    hostsChanged |= Renew(host, facts);
                }
                else
                {
                    host = cluster.CreateHost(facts);
                    added.Add(host);
                }
                next.Add(key, host);
                hosts.Add(host);
            }
            KeepPassing(before, next, hosts);
            var weights = wanted?.LocalityWeights;
            if (hostsChanged || before is null || before.Policy != assignment.Policy || !SameHosts(before.Hosts, hosts)
                || !SameWeights(before.LocalityWeights, weights))
            {
                changed = true;
                sets[i] = new HostSet((uint)i, hosts.ToArray(), weights, assignment.Policy, cluster.OwnLocality);
            }
            else
            {
                sets[i] = before;
            }
        }
        var removed = Removed(next);
        _known = next;
        if (!changed && added.Count == 0 && removed.Count == 0)
        {
            return false;
        }
        cluster.Publish(sets, added, removed);
        return true;
    }

    /// <summary>A host that was kept although discovery dropped it has failed its checks, or nobody checks it any more: it goes.</summary>
    public void Drop(HostImpl host)
    {
        _known.Remove(HostKey.Of(host.Facts));
        var sets = Array.ConvertAll(
            cluster.Entry.Hosts.Sets,
            set => Array.IndexOf(set.Hosts, host) < 0
                ? set
                : new HostSet(set.Priority, Array.FindAll(set.Hosts, other => other != host), set.LocalityWeights, set.Policy, set.OwnLocality));
        cluster.Publish(sets, [], [host]);
    }

    private bool Renew(HostImpl host, HostDescription facts)
    {
        var changed = host.Update(facts);
        if (host.Has(HealthFlags.PendingDynamicRemoval))
        {
            host.Clear(HealthFlags.PendingDynamicRemoval);
            changed = true;
        }
        return changed;
    }

    // While active checks pass, an endpoint that discovery lost stays: discovery may be wrong (Envoy's PENDING_DYNAMIC_REMOVAL).
    private void KeepPassing(HostSet? before, Dictionary<HostKey, HostImpl> next, List<HostImpl> hosts)
    {
        if (before is null || cluster.HealthChecker is null || cluster.Info.Definition.IgnoreHealthOnHostRemoval)
        {
            return;
        }
        foreach (var host in before.Hosts)
        {
            if (!next.ContainsKey(HostKey.Of(host.Facts)) && !host.Facts.DisableActiveHealthCheck
                && !host.Has(HealthFlags.FailedActiveHealthCheck | HealthFlags.FailedEdsHealth))
            {
                host.Set(HealthFlags.PendingDynamicRemoval);
                next.Add(HostKey.Of(host.Facts), host);
                hosts.Add(host);
            }
        }
    }

    private List<HostImpl> Removed(Dictionary<HostKey, HostImpl> next)
    {
        var removed = new List<HostImpl>();
        foreach (var (key, host) in _known)
        {
            if (!next.ContainsKey(key))
            {
                removed.Add(host);
            }
        }
        return removed;
    }

    private static bool SameHosts(HostImpl[] before, List<HostImpl> after)
    {
        if (before.Length != after.Count)
        {
            return false;
        }
        for (var i = 0; i < before.Length; i++)
        {
            if (!ReferenceEquals(before[i], after[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool SameWeights(IReadOnlyDictionary<Locality, uint>? before, Dictionary<Locality, uint>? after)
    {
        if (before is null || after is null)
        {
            return before is null && after is null;
        }
        if (before.Count != after.Count)
        {
            return false;
        }
        foreach (var (locality, weight) in before)
        {
            if (!after.TryGetValue(locality, out var other) || other != weight)
            {
                return false;
            }
        }
        return true;
    }

    private readonly record struct HostKey(EndPoint Address, Locality Locality, string Hostname)
    {
        public static HostKey Of(HostDescription facts) => new(facts.Address, facts.Locality, facts.Hostname);
    }
}
