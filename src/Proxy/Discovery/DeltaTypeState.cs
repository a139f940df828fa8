using Envoy.Service.Discovery.V3;

namespace MeshProxy.Proxy.Discovery;

/// <summary>What is followed of a type over delta, what the server has been told of it, and the versions held.</summary>
internal sealed class DeltaTypeState(string typeUrl)
{
    private readonly Dictionary<string, int> _interest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _versions = new(StringComparer.Ordinal);
    private readonly List<string> _added = [];
    private readonly List<string> _removed = [];
    private bool _first = true;

    public string TypeUrl => typeUrl;

    public List<Watch> Watches { get; } = [];

    public ResourceExpiry Expiry { get; set; } = null!;

    private bool IsWildcard => Watches.Exists(watch => watch.IsWildcard);

    /// <summary>Whether the server must hear of something.</summary>
    public bool HasChanges => _added.Count > 0 || _removed.Count > 0 || (_first && (_interest.Count > 0 || IsWildcard));

    public void Add(Watch watch)
    {
        Watches.Add(watch);
        foreach (var name in watch.Names)
        {
            Want(name);
        }
    }

    public void Remove(Watch watch)
    {
        Watches.Remove(watch);
        foreach (var name in watch.Names)
        {
            Release(name);
        }
    }

    public void Change(Watch watch, IReadOnlyCollection<string> before)
    {
        foreach (var name in watch.Names)
        {
            Want(name);
        }
        foreach (var name in before)
        {
            Release(name);
        }
    }

    /// <summary>A new stream knows nothing: its first request says all.</summary>
    public void OnStreamOpened()
    {
        _first = true;
        _added.Clear();
        _removed.Clear();
    }

    /// <summary>A resource is held in that version, perhaps the empty one.</summary>
    public void SetVersion(string name, string version)
    {
        if (_interest.ContainsKey(name) || IsWildcard)
        {
            _versions[name] = version;
        }
    }

    /// <summary>A resource is gone: nothing of it is told to another server.</summary>
    public void Forget(string name) => _versions.Remove(name);

    public void WriteChanges(DeltaDiscoveryRequest request)
    {
        if (_first)
        {
            _first = false;
            foreach (var (name, version) in _versions)
            {
                request.InitialResourceVersions.Set(name, version);
            }
            request.ResourceNamesSubscribe.AddRange(_interest.Keys);
        }
        else
        {
            request.ResourceNamesSubscribe.AddRange(_added);
            request.ResourceNamesUnsubscribe.AddRange(_removed);
        }
        _added.Clear();
        _removed.Clear();
    }

    private void Want(string name)
    {
        var count = _interest.GetValueOrDefault(name);
        _interest[name] = count + 1;
        // Removed and wanted again before the server heard: it must send it once more.
        if (count == 0 && !_first)
        {
            _removed.Remove(name);
            _added.Add(name);
        }
    }

    private void Release(string name)
    {
        var count = _interest[name] - 1;
        if (count > 0)
        {
            _interest[name] = count;
            return;
        }
        _interest.Remove(name);
        _versions.Remove(name);
        if (!_first && !_added.Remove(name))
        {
            _removed.Add(name);
        }
    }
}
