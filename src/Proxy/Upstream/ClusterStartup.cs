using MeshProxy.Proxy.Upstream.Clusters;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// The order in which clusters start (Envoy's ClusterManagerInitHelper): those without a control plane, then those with one,
/// then what discovery brings; what comes later starts at once.
/// </summary>
internal sealed class ClusterStartup
{
    private readonly List<ClusterBase> _primary = [];
    private readonly List<ClusterBase> _secondary = [];
    private readonly HashSet<ClusterBase> _waiting = [];
    private readonly List<(ClusterBase Cluster, Action OnReady)> _held = [];
    private Action? _whenReady;
    private bool _secondaryStarted;

    public void Add(ClusterBase cluster) => (cluster.IsPrimary ? _primary : _secondary).Add(cluster);

    /// <summary>A cluster of discovery: starts now, unless bootstrap clusters are still starting.</summary>
    public void AddDynamic(ClusterBase cluster, Action onReady)
    {
        if (!_secondaryStarted)
        {
            _held.Add((cluster, onReady));
            return;
        }
        Start(cluster, onReady);
    }

    public void StartPrimary(Action whenReady) => StartAll(_primary, whenReady);

    public void StartSecondary(Action whenReady)
    {
        _secondaryStarted = true;
        foreach (var (cluster, onReady) in _held)
        {
            Start(cluster, onReady);
        }
        _held.Clear();
        StartAll(_secondary, whenReady);
    }

    public void WhenDynamicReady(Action whenReady)
    {
        _whenReady = whenReady;
        CheckReady();
    }

    /// <summary>Nobody waits any more for a cluster that was removed while it warmed.</summary>
    public void Forget(ClusterBase cluster)
    {
        _held.RemoveAll(held => held.Cluster == cluster);
        _waiting.Remove(cluster);
        CheckReady();
    }

    private void StartAll(List<ClusterBase> clusters, Action whenReady)
    {
        _whenReady = whenReady;
        var starting = clusters.ToArray();
        clusters.Clear();
        foreach (var cluster in starting)
        {
            _waiting.Add(cluster);
        }
        foreach (var cluster in starting)
        {
            cluster.Initialize(() => OnReady(cluster));
        }
        CheckReady();
    }

    private void Start(ClusterBase cluster, Action onReady)
    {
        if (cluster.Info.Definition.WaitForWarmOnInit ?? true)
        {
            _waiting.Add(cluster);
        }
        cluster.Initialize(() =>
        {
            onReady();
            OnReady(cluster);
        });
    }

    private void OnReady(ClusterBase cluster)
    {
        if (_waiting.Remove(cluster))
        {
            CheckReady();
        }
    }

    private void CheckReady()
    {
        if (_waiting.Count == 0 && _whenReady is { } ready)
        {
            _whenReady = null;
            ready();
        }
    }
}
