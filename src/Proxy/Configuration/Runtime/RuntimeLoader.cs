using Envoy.Config.Bootstrap.V3;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Configuration.Runtime;

/// <summary>
/// The runtime: layers in order, later ones win. Static layers come with the bootstrap, disk layers follow a symbolic link,
/// an admin layer takes /runtime_modify, RTDS layers are set from outside. Changed on the main loop, read by all.
/// </summary>
public sealed class RuntimeLoader : IRuntime
{
    private readonly List<RuntimeLayer> _layers = [];
    private readonly HashSet<string> _unreadable = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RuntimeValue> _admin = new(StringComparer.Ordinal);
    private readonly StatBlock _stats;
    private readonly int _adminIndex = -1;
    private volatile Dictionary<string, RuntimeValue> _final = new(StringComparer.Ordinal);
    private long _generation;

    public RuntimeLoader(LayeredRuntime? layered, string serviceCluster, FileWatcher watcher, IStatsScope scope)
    {
        _stats = scope.Scope("runtime").Block(RuntimeStat.Layout);
        foreach (var layer in layered?.Layers ?? default)
        {
            Add(layer, serviceCluster, watcher, ref _adminIndex);
        }
        Rebuild();
        if (layered is { } all && all.Layers.Any(static layer => layer.RtdsLayerValue is not null))
        {
            // Layers that are followed are put together once more, empty, when following begins (recorded).
            _stats.Inc(RuntimeStat.LoadSuccess);
        }
    }

    public long Generation => Volatile.Read(ref _generation);

    /// <summary>The layers as they are now, in order.</summary>
    public IReadOnlyList<RuntimeLayer> Layers => _layers;

    /// <summary>Whether /runtime_modify has a layer to write to.</summary>
    public bool HasAdminLayer => _adminIndex >= 0;

    public ulong GetInteger(string key, ulong defaultValue) =>
        _final.TryGetValue(key, out var value) && value.Integer is { } integer ? integer : defaultValue;

    public double GetDouble(string key, double defaultValue) =>
        _final.TryGetValue(key, out var value) && value.Double is { } number ? number : defaultValue;

    public bool GetBoolean(string key, bool defaultValue) =>
        _final.TryGetValue(key, out var value) && value.Boolean is { } flag ? flag : defaultValue;

    public string? GetString(string key) => _final.TryGetValue(key, out var value) ? value.Text : null;

    public bool FeatureEnabled(string key, uint numerator, uint denominator, ulong random)
    {
        if (key.Length > 0 && _final.TryGetValue(key, out var value))
        {
            if (value.Fraction is { } fraction)
            {
                return random % fraction.Denominator < fraction.Numerator;
            }
            if (value.Integer is { } percent)
            {
                return random % 100 < percent;
            }
        }
        return random % denominator < numerator;
    }

    /// <summary>Sets keys of the admin layer; an empty value removes the key.</summary>
    public void Modify(IEnumerable<KeyValuePair<string, string>> values)
    {
        foreach (var (key, value) in values)
        {
            if (value.Length == 0)
            {
                _admin.Remove(key);
            }
            else
            {
                _admin[key] = RuntimeValue.Parse(value);
            }
        }
        _layers[_adminIndex] = _layers[_adminIndex] with { Values = new Dictionary<string, RuntimeValue>(_admin) };
        Rebuild();
    }

    /// <summary>Replaces the values of an RTDS layer.</summary>
    public void SetLayer(string name, Google.Protobuf.WellKnownTypes.Struct? fields)
    {
        var index = _layers.FindIndex(layer => layer.Name == name);
        if (index >= 0)
        {
            _layers[index] = RuntimeLayer.From(name, fields);
            Rebuild();
        }
    }

    private void Add(Envoy.Config.Bootstrap.V3.RuntimeLayer layer, string serviceCluster, FileWatcher watcher, ref int adminIndex)
    {
        if (_layers.Exists(known => known.Name == layer.Name))
        {
            throw new ConfigurationException($"layered_runtime: Duplicate layer name: {layer.Name}; names of layers must differ.");
        }
        switch (layer.LayerSpecifierCase)
        {
            case Envoy.Config.Bootstrap.V3.RuntimeLayer.LayerSpecifierOneofCase.StaticLayer:
                _layers.Add(RuntimeLayer.From(layer.Name, layer.StaticLayer));
                break;
            case Envoy.Config.Bootstrap.V3.RuntimeLayer.LayerSpecifierOneofCase.AdminLayerValue:
                if (adminIndex >= 0)
                {
                    throw new ConfigurationException("layered_runtime: Too many admin layers specified in LayeredRuntime, at most one may be specified");
                }
                adminIndex = _layers.Count;
                _layers.Add(RuntimeLayer.From(layer.Name, null));
                break;
            case Envoy.Config.Bootstrap.V3.RuntimeLayer.LayerSpecifierOneofCase.DiskLayerValue:
                AddDisk(layer.Name, layer.DiskLayerValue!.Value, serviceCluster, watcher);
                break;
            default:
                _layers.Add(RuntimeLayer.From(layer.Name, null));
                break;
        }
    }

    private void AddDisk(
        string name, Envoy.Config.Bootstrap.V3.RuntimeLayer.DiskLayer disk, string serviceCluster, FileWatcher watcher)
    {
        var directory = Path.Combine(disk.SymlinkRoot, disk.Subdirectory);
        if (disk.AppendServiceCluster)
        {
            directory = Path.Combine(directory, serviceCluster);
        }
        var index = _layers.Count;
        _layers.Add(Load(name, directory));
        if (Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(disk.SymlinkRoot))))
        {
            watcher.WatchFile(disk.SymlinkRoot, () =>
            {
                _layers[index] = Load(name, directory);
                Rebuild();
            });
        }
    }

    private RuntimeLayer Load(string name, string directory)
    {
        try
        {
            _unreadable.Remove(name);
            _stats.Inc(Directory.Exists(directory) ? RuntimeStat.OverrideDirExists : RuntimeStat.OverrideDirNotExists);
            return RuntimeLayer.FromDirectory(name, directory);
        }
        catch (IOException)
        {
            _unreadable.Add(name);
            return RuntimeLayer.From(name, null);
        }
    }

    private void Rebuild()
    {
        var final = new Dictionary<string, RuntimeValue>(StringComparer.Ordinal);
        foreach (var layer in _layers)
        {
            foreach (var (key, value) in layer.Values)
            {
                final[key] = value;
            }
        }
        _final = final;
        _stats.Inc(_unreadable.Count == 0 ? RuntimeStat.LoadSuccess : RuntimeStat.LoadError);
        Interlocked.Increment(ref _generation);
        _stats.Set(RuntimeStat.NumKeys, final.Count);
        _stats.Set(RuntimeStat.NumLayers, _layers.Count);
        _stats.Set(RuntimeStat.AdminOverridesActive, _admin.Count > 0 ? 1 : 0);
    }
}
