using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream;

/// <summary>drop_overloads of a load assignment: a share of the requests is turned away before a host is chosen.</summary>
internal sealed class DropOverloads
{
    private const ulong Million = 1_000_000;

    private readonly (string Category, ulong PerMillion)[] _categories;
    private readonly bool _unconditional;

    private DropOverloads((string, ulong)[] categories)
    {
        _categories = categories;
        ulong kept = Million;
        foreach (var (_, share) in categories)
        {
            kept = kept * (Million - Math.Min(Million, share)) / Million;
        }
        _unconditional = kept == 0;
    }

    public static DropOverloads? Read(ClusterLoadAssignment assignment)
    {
        if (assignment.PolicyValue is not { DropOverloads.Count: > 0 } policy)
        {
            return null;
        }
        if (policy.DropOverloads.Count > 1)
        {
            throw new ConfigurationException(
                $"Cluster drop_overloads config has {policy.DropOverloads.Count} categories. Only one is supported ({assignment.ClusterName}).");
        }
        var categories = new (string, ulong)[policy.DropOverloads.Count];
        for (var i = 0; i < categories.Length; i++)
        {
            var drop = policy.DropOverloads[i];
            categories[i] = (drop.Category, Fractions.PerMillion(drop.DropPercentage));
        }
        return new DropOverloads(categories);
    }

    /// <summary>Draws each category in order.</summary>
    public DropDecision Draw(ulong random)
    {
        if (_unconditional)
        {
            return new DropDecision(_categories[0].Category, Unconditional: true);
        }
        foreach (var (category, share) in _categories)
        {
            if (random % Million < share)
            {
                return new DropDecision(category, Unconditional: false);
            }
            random = random * 6364136223846793005UL + 1442695040888963407UL;
        }
        return default;
    }
}
