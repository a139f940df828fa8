using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshProxy.Injection.Webhook;

/// <summary>The kubelets' versions by node.</summary>
internal sealed partial class NodeVersions : INodeVersions
{
    // Native sidecars are stable, and cannot be switched off, from Kubernetes 1.33.
    private const int FirstStableMinor = 33;

    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <summary>Nodes node-1, node-2, ... with these versions.</summary>
    public static NodeVersions Of(string versions)
    {
        var nodes = new NodeVersions();
        foreach (var (at, version) in versions.Split(',', StringSplitOptions.RemoveEmptyEntries).Index())
            nodes.Set($"node-{(at + 1).ToString(CultureInfo.InvariantCulture)}", version);
        return nodes;
    }

    public void Set(string node, string? kubelet) => _known[node] = IsStable(kubelet);

    public void Remove(string node) => _known.TryRemove(node, out _);

    public void Clear() => _known.Clear();

    public bool KnowNativeSidecars(string? node) =>
        string.IsNullOrEmpty(node) ? _known.Values.All(known => known) : _known.GetValueOrDefault(node);

    private static bool IsStable(string? version) =>
        Version().Match(version ?? "") is { Success: true } match
        && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) is var major
        && int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture) is var minor
        && (major > 1 || (major == 1 && minor >= FirstStableMinor));

    // v1.33.4-gke.1200
    [GeneratedRegex(@"\Av?(\d{1,4})\.(\d{1,4})")]
    private static partial Regex Version();
}
