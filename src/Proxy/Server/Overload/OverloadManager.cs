using Envoy.Extensions.ResourceMonitors.CgroupMemory.V3;
using Envoy.Extensions.ResourceMonitors.DownstreamConnections.V3;
using Envoy.Extensions.ResourceMonitors.FixedHeap.V3;
using Envoy.Extensions.ResourceMonitors.InjectedResource.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Config.Overload.V3.OverloadManager;

namespace MeshProxy.Proxy.Server.Overload;

/// <summary>
/// Measures resources at an interval and switches overload actions (upstream 21): an action is as far on as the most urgent
/// of its triggers. Main loop only; the result is <see cref="OverloadState"/>.
/// </summary>
internal sealed class OverloadManager
{
    private const string ActionPrefix = "envoy.overload_actions.";
    private const string LoadShedPrefix = "envoy.load_shed_points.";

    /// <summary>Envoy's default of refresh_interval.</summary>
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);

    private static readonly HashSet<string> KnownActions = new(StringComparer.Ordinal)
    {
        $"{ActionPrefix}stop_accepting_requests", $"{ActionPrefix}disable_http_keepalive", $"{ActionPrefix}stop_accepting_connections",
        $"{ActionPrefix}reject_incoming_connections", $"{ActionPrefix}shrink_heap", $"{ActionPrefix}reduce_timeouts",
        $"{ActionPrefix}reset_high_memory_stream",
    };

    private readonly EventLoop _loop;
    private readonly OverloadState _state;
    private readonly IStatsScope _scope;
    private readonly TimeSpan _interval;
    private readonly Dictionary<string, Resource> _resources = new(StringComparer.Ordinal);
    private readonly List<ActiveAction> _actions = [];
    private LoopTimer? _timer;

    /// <exception cref="ConfigurationException">A monitor, action or trigger is unknown or makes no sense.</exception>
    public OverloadManager(Config config, EventLoop loop, OverloadState state, IStatsScope serverScope)
    {
        _loop = loop;
        _state = state;
        _scope = serverScope.Scope("overload");
        _interval = config.RefreshInterval ?? DefaultInterval;
        foreach (var monitor in config.ResourceMonitors)
        {
            AddMonitor(monitor.Name, monitor.TypedConfig);
        }
        foreach (var action in config.Actions)
        {
            if (!KnownActions.Contains(action.Name))
            {
                throw new ConfigurationException($"Unknown Overload Manager Action {action.Name}");
            }
            TimerScaling.Check(action);
            AddAction(action.Name, action.Triggers);
        }
        foreach (var point in config.LoadshedPoints)
        {
            if (!point.Name.StartsWith(LoadShedPrefix, StringComparison.Ordinal))
            {
                throw new ConfigurationException($"Unknown Load Shed Point {point.Name}");
            }
            AddAction(point.Name, point.Triggers);
        }
    }

    /// <summary>Limit of the downstream_connections monitor; null without it.</summary>
    public ulong? MaxDownstreamConnections { get; private set; }

    /// <summary>Told on the main loop when stop_accepting_connections changes between off and on.</summary>
    public Action<bool>? AcceptingPaused { get; set; }

    public void Start()
    {
        if (_resources.Count == 0)
        {
            return;
        }
        _timer = _loop.CreateTimer(Refresh);
        Refresh();
    }

    private void Refresh()
    {
        foreach (var resource in _resources.Values)
        {
            resource.Update();
        }
        foreach (var action in _actions)
        {
            Update(action);
        }
        _timer!.Arm(_interval);
    }

    private void Update(ActiveAction action)
    {
        var value = 0.0;
        foreach (var trigger in action.Triggers)
        {
            value = Math.Max(value, trigger.Value(_resources[trigger.Resource].LastPressure));
        }
        var wasOn = action.Action.Value >= 1;
        action.Action.Value = (float)value;
        action.Active.Set(value >= 1 ? 1 : 0);
        action.ScalePercent.Set((long)(value * 100));
        if (action.Name == $"{ActionPrefix}stop_accepting_connections" && wasOn != value >= 1)
        {
            AcceptingPaused?.Invoke(value >= 1);
        }
    }

    private void AddMonitor(string name, Any? config)
    {
        if (_resources.ContainsKey(name) || (config?.Is<DownstreamConnectionsConfig>() == true && MaxDownstreamConnections is not null))
        {
            throw new ConfigurationException($"Duplicate resource monitor {name}");
        }
        if (config is not null && config.TryUnpack<DownstreamConnectionsConfig>(out var connections))
        {
            MaxDownstreamConnections = (ulong)connections.MaxActiveDownstreamConnections;
            return;
        }
        var scope = _scope.Scope(name);
        _resources[name] = new Resource(Monitor(name, config), scope.Gauge("pressure"), scope.Counter("failed_updates"));
        // Measured at once, an update is never skipped for one still under way; dashboards look for the name.
        scope.Counter("skipped_updates");
    }

    private static IResourceMonitor Monitor(string name, Any? config)
    {
        if (config is not null && config.TryUnpack<FixedHeapConfig>(out var heap))
        {
            return new FixedHeapMonitor(heap.MaxHeapSizeBytes > 0
                ? heap.MaxHeapSizeBytes
                : throw new ConfigurationException("fixed_heap: max_heap_size_bytes must be greater than 0"));
        }
        if (config is not null && config.TryUnpack<CgroupMemoryConfig>(out var cgroup))
        {
            return new CgroupMemoryMonitor(cgroup.MaxMemoryBytes);
        }
        if (config is not null && config.TryUnpack<InjectedResourceConfig>(out var injected))
        {
            return new InjectedResourceMonitor(injected.Filename);
        }
        throw new ConfigurationException(
            $"Didn't find a registered implementation for '{name}' with type URL: '{config?.TypeName ?? ""}'; use fixed_heap, "
            + "cgroup_memory, injected_resource or downstream_connections.");
    }

    private void AddAction(string name, MessageList<Envoy.Config.Overload.V3.Trigger> triggers)
    {
        if (_actions.Exists(known => known.Name == name))
        {
            throw new ConfigurationException($"Duplicate overload action {name}");
        }
        var compiled = new List<OverloadTrigger>();
        foreach (var trigger in triggers)
        {
            if (!_resources.ContainsKey(trigger.Name))
            {
                throw new ConfigurationException($"Unknown trigger resource {trigger.Name} for overload action {name}");
            }
            if (compiled.Exists(known => known.Resource == trigger.Name))
            {
                throw new ConfigurationException($"Duplicate trigger resource for overload action {name}");
            }
            compiled.Add(OverloadTrigger.Compile(trigger));
        }
        var scope = _scope.Scope(name);
        _actions.Add(new ActiveAction(name, _state.Action(name), compiled, scope.Gauge("active"), scope.Gauge("scale_percent")));
    }

    private sealed record ActiveAction(
        string Name, OverloadAction Action, IReadOnlyList<OverloadTrigger> Triggers, Gauge Active, Gauge ScalePercent);

    private sealed class Resource(IResourceMonitor monitor, Gauge pressure, Counter failed)
    {
        public double LastPressure { get; private set; }

        public void Update()
        {
            if (monitor.Pressure() is not { } value)
            {
                failed.Inc();
                return;
            }
            LastPressure = value;
            pressure.Set((long)(value * 100));
        }
    }
}
