using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Listeners;

/// <summary>
/// Owns the listeners: compiles, opens sockets, warms, hands to the workers, updates in place or by replacement, drains. All
/// members are for the main loop; work on a worker's listeners is posted to its loop.
/// </summary>
public sealed class ListenerManager
{
    private readonly EventLoop _mainLoop;
    private readonly ListenerCompiler _compiler;
    private readonly ListenerCompilerServices _services;
    private readonly WorkerListeners[] _workers;
    private readonly StatBlock _stats;
    private readonly List<ListenerEntry> _active = [];
    private readonly List<ListenerEntry> _warming = [];
    private readonly List<ListenerEntry> _draining = [];
    private readonly List<ListenerEntry> _early = [];
    private readonly Dictionary<string, RefusedListener> _refused = new(StringComparer.Ordinal);
    private bool _workersStarted;
    private bool _paused;
    private bool _stoppedAll;
    private bool _stoppedInbound;

    internal ListenerManager(
        EventLoop mainLoop, IReadOnlyList<EventLoop> workers, ListenerCompilerServices services, ConnectionLimit globalLimit,
        OverloadState overload)
    {
        _mainLoop = mainLoop;
        _services = services;
        _compiler = new ListenerCompiler(services);
        _workers = [.. workers.Select(loop => new WorkerListeners(loop, globalLimit, overload))];
        _stats = services.ServerScope.Scope("listener_manager").Block(ListenerManagerStat.Layout);
    }

    public IReadOnlyList<ListenerEntry> Active => _active;

    public IReadOnlyList<ListenerEntry> Warming => _warming;

    public IReadOnlyList<ListenerEntry> Draining => _draining;

    /// <summary>Listeners whose newest update was refused, by name, until one is accepted; for config_dump's error_state.</summary>
    public IReadOnlyDictionary<string, RefusedListener> RefusedListeners => _refused;

    /// <summary>The listeners that a worker loop serves; null for other loops.</summary>
    internal WorkerListeners? ListenersOf(EventLoop loop) => Array.Find(_workers, worker => ReferenceEquals(worker.Loop, loop));

    /// <summary>
    /// Adds or updates. False when nothing changes (equal, or a static listener of that name). ConfigurationException when
    /// refused: what served before goes on.
    /// </summary>
    public bool AddOrUpdate(Listener listener, string version, bool addedViaApi)
    {
        var name = listener.Name.Length > 0 ? listener.Name : Guid.NewGuid().ToString();
        var warming = _warming.Find(entry => entry.Config.Name == name);
        var active = _active.Find(entry => entry.Config.Name == name);
        if (active is { AddedViaApi: false } || IsStopped(listener.TrafficDirection))
        {
            return false;
        }
        _refused.Remove(name);
        if ((warming ?? active) is { } current && current.Config.Definition.Message.Equals(listener.Message))
        {
            return false;
        }
        try
        {
            if (addedViaApi)
            {
                ResourceChecks.CheckPacked(listener.Message, _services.Validation, _services.Unsupported);
            }
            Install(Compile(listener, name, active, version, addedViaApi), active, warming);
        }
        catch (IOException failure)
        {
            throw Refuse(name, listener, new ConfigurationException($"error adding listener '{name}': {failure.Message}", failure));
        }
        catch (ConfigurationException refusal)
        {
            throw Refuse(name, listener, refusal);
        }
        UpdateGauges();
        return true;
    }

    /// <summary>Removes a listener that came by LDS: its sockets close at once, its connections drain.</summary>
    public bool Remove(string name)
    {
        var warming = _warming.Find(entry => entry.Config.Name == name && entry.AddedViaApi);
        var active = _active.Find(entry => entry.Config.Name == name && entry.AddedViaApi);
        _refused.Remove(name);
        if (warming is null && active is null)
        {
            return false;
        }
        if (warming is not null)
        {
            Discard(warming);
        }
        if (active is not null)
        {
            _active.Remove(active);
            if (_workersStarted)
            {
                StartDrain(active, stopAccepting: true);
            }
            else
            {
                CloseSockets(active);
            }
        }
        _stats.Inc(ListenerManagerStat.Removed);
        UpdateGauges();
        return true;
    }

    /// <summary>Opens a static listener for traffic before the others; its clusters must be warm. Unknown names do nothing.</summary>
    public void StartEarly(string name)
    {
        if (_active.Find(entry => entry.Config.Name == name) is { } entry)
        {
            _early.Add(entry);
            GiveToWorkers(entry, replaced: null);
        }
    }

    /// <summary>Opens for traffic what is active; called once, when clusters and static listeners are warm.</summary>
    public void StartWorkers(Action onStarted)
    {
        _workersStarted = true;
        foreach (var entry in _active)
        {
            if (!_early.Remove(entry))
            {
                GiveToWorkers(entry, replaced: null);
            }
        }
        var left = _workers.Length;
        foreach (var worker in _workers)
        {
            worker.Loop.Post(() => _mainLoop.Post(() =>
            {
                if (--left == 0)
                {
                    _stats.Set(ListenerManagerStat.WorkersStarted, 1);
                    onStarted();
                }
            }));
        }
        UpdateGauges();
    }

    /// <summary>
    /// `POST /drain_listeners`: at once no connection is accepted any more; graceful, connections are asked to end and new
    /// ones are accepted until the drain time is over. A graceful drain under way is not begun again.
    /// </summary>
    /// <param name="inboundOnly">Only listeners of traffic direction INBOUND.</param>
    /// <param name="skipExit">Graceful: go on accepting also after the drain time.</param>
    public void Drain(bool graceful, bool inboundOnly, bool skipExit)
    {
        if (!graceful)
        {
            StopListeners(inboundOnly);
            return;
        }
        if (_services.ProcessDrain.Draining(inboundOnly))
        {
            return;
        }
        _services.ProcessDrain.Start(inboundOnly);
        if (!skipExit)
        {
            _mainLoop.CreateTimer(() => StopListeners(inboundOnly)).Arm(_services.DrainTime);
        }
    }

    /// <summary>Refuses new connections; what is open stays. Later updates of such listeners are ignored.</summary>
    public void StopListeners(bool inboundOnly)
    {
        _stoppedAll |= !inboundOnly;
        _stoppedInbound = true;
        foreach (var entry in _warming.FindAll(entry => IsStopped(entry.Config.Definition.TrafficDirection)))
        {
            Discard(entry);
        }
        foreach (var entry in _active)
        {
            if (IsStopped(entry.Config.Definition.TrafficDirection))
            {
                _stats.Inc(ListenerManagerStat.Stopped);
                OnWorkers(entry, static active => active.StopAccepting());
            }
        }
        UpdateGauges();
    }

    /// <summary>Overload action stop_accepting_connections: new connections wait in the kernel's queue while it is on.</summary>
    public void PauseAccepting(bool paused)
    {
        _paused = paused;
        foreach (var entry in _active)
        {
            if (!entry.Config.BypassOverload)
            {
                OnWorkers(entry, active => active.PauseAccepting(paused));
            }
        }
    }

    /// <summary>Connections open on all listeners, as the workers count them now.</summary>
    public long OpenConnections => _active.Concat(_draining).Sum(entry => entry.Config.Limit.Count);

    /// <summary>The same, of listeners that came by LDS.</summary>
    public long OpenDiscoveredConnections =>
        _active.Concat(_draining).Where(entry => entry.AddedViaApi).Sum(entry => entry.Config.Limit.Count);

    /// <summary>Closes every connection at once (end of the process); <paramref name="onClosed"/> runs when all loops have.</summary>
    public void CloseAllConnections(Action onClosed)
    {
        var left = _workers.Length;
        foreach (var worker in _workers)
        {
            worker.Loop.Post(() =>
            {
                foreach (var active in worker.All.ToArray())
                {
                    active.StopAccepting();
                    active.CloseConnections(null);
                }
                _mainLoop.Post(() =>
                {
                    if (--left == 0)
                    {
                        onClosed();
                    }
                });
            });
        }
    }

    private bool IsStopped(Envoy.Config.Core.V3.TrafficDirection direction) =>
        _stoppedAll || (_stoppedInbound && direction == Envoy.Config.Core.V3.TrafficDirection.Inbound);

    private ConfigurationException Refuse(string name, Listener listener, ConfigurationException refusal)
    {
        _stats.Inc(ListenerManagerStat.CreateFailure);
        _refused[name] = new RefusedListener(listener, refusal.Message, DateTime.UtcNow);
        return refusal;
    }

    private ListenerEntry Compile(Listener listener, string name, ListenerEntry? active, string version, bool addedViaApi)
    {
        var config = _compiler.Compile(listener, name, active?.Config);
        return new ListenerEntry
        {
            Config = config,
            // An exchange of filter chains goes on under the version of the listener they belong to, as in Envoy.
            Version = IsInPlace(config, active) ? active!.Version : version,
            LastUpdated = _mainLoop.UtcNow,
            AddedViaApi = addedViaApi,
        };
    }

    private void Install(ListenerEntry entry, ListenerEntry? active, ListenerEntry? warming)
    {
        var sharesSockets = active is not null && SameAddresses(active.Config, entry.Config);
        if (!sharesSockets)
        {
            RequireFreeAddresses(entry);
        }
        if (sharesSockets)
        {
            entry.LocalAddresses = active!.LocalAddresses;
        }
        else if (entry.Config.BindToPort && !entry.Config.IsInternal && _services.OpenSockets)
        {
            OpenSockets(entry);
        }
        else
        {
            entry.LocalAddresses = [.. entry.Config.Addresses.Select(static address => address.Address)];
        }
        if (warming is not null)
        {
            Discard(warming);
        }
        _stats.Inc(active is null && warming is null ? ListenerManagerStat.Added : ListenerManagerStat.Modified);
        if (IsInPlace(entry.Config, active))
        {
            _stats.Inc(ListenerManagerStat.InPlaceUpdated);
        }
        if (!_workersStarted)
        {
            InstallBeforeStart(entry, active);
            return;
        }
        entry.State = ListenerState.Warming;
        _warming.Add(entry);
        entry.Config.Init.Initialize(() => OnWarm(entry));
    }

    // Chains hang on the drain of their listener: who has the same drain took its chains over.
    private bool IsInPlace(CompiledListener config, ListenerEntry? active) =>
        _workersStarted && ReferenceEquals(config.Drain, active?.Config.Drain);

    private void InstallBeforeStart(ListenerEntry entry, ListenerEntry? active)
    {
        if (active is not null)
        {
            entry.Sockets ??= active.Sockets;
            active.Sockets = null;
            _active[_active.IndexOf(active)] = entry;
        }
        else
        {
            _active.Add(entry);
        }
        entry.State = ListenerState.Active;
        entry.Config.Init.Initialize(_services.ServerInit.Register());
    }

    private void OnWarm(ListenerEntry entry)
    {
        if (!_warming.Remove(entry))
        {
            return;
        }
        var index = _active.FindIndex(other => other.Config.Name == entry.Config.Name);
        var replaced = index < 0 ? null : _active[index];
        entry.State = ListenerState.Active;
        if (replaced is null)
        {
            _active.Add(entry);
        }
        else
        {
            _active[index] = entry;
        }
        if (replaced is not null && ReferenceEquals(replaced.Config.Drain, entry.Config.Drain))
        {
            UpdateInPlace(entry, replaced);
        }
        else
        {
            GiveToWorkers(entry, replaced);
            if (replaced is not null)
            {
                StartDrain(replaced, stopAccepting: false);
            }
        }
        UpdateGauges();
    }

    private void UpdateInPlace(ListenerEntry entry, ListenerEntry replaced)
    {
        var kept = entry.Config.AllChains.ToHashSet();
        var gone = replaced.Config.AllChains.Where(chain => !kept.Contains(chain)).ToHashSet();
        var config = entry.Config;
        var before = replaced.Config;
        foreach (var worker in _workers)
        {
            worker.Loop.Post(() => Find(worker, before)?.Replace(config));
        }
        if (gone.Count == 0)
        {
            return;
        }
        foreach (var chain in gone)
        {
            chain.Drain.Start();
        }
        _stats.Add(ListenerManagerStat.TotalFilterChainsDraining, gone.Count);
        _mainLoop.CreateTimer(() =>
        {
            _stats.Add(ListenerManagerStat.TotalFilterChainsDraining, -gone.Count);
            OnWorkers(entry, active => active.CloseConnections(gone));
            CompiledFilterChain.Release(gone);
        }).Arm(_services.DrainTime);
    }

    private void GiveToWorkers(ListenerEntry entry, ListenerEntry? replaced)
    {
        var paused = _paused;
        var sockets = entry.Sockets;
        var shares = replaced is not null && SameAddresses(replaced.Config, entry.Config);
        entry.Sockets = null;
        for (var i = 0; i < _workers.Length; i++)
        {
            var worker = _workers[i];
            var own = sockets?[i];
            var config = entry.Config;
            var before = replaced?.Config;
            worker.Loop.Post(() =>
            {
                var old = before is null ? null : Find(worker, before);
                var active = worker.Add(config);
                // In one step of the loop: no connection is refused in between.
                var taken = shares && own is null && old is not null ? old.ReleaseSockets() : own;
                old?.StopAccepting();
                active.Listen(taken ?? [], paused && !config.BypassOverload);
            });
        }
        _stats.Add(ListenerManagerStat.CreateSuccess, _workers.Length);
    }

    private void StartDrain(ListenerEntry entry, bool stopAccepting)
    {
        entry.State = ListenerState.Draining;
        _draining.Add(entry);
        entry.Config.Drain.Start();
        if (stopAccepting)
        {
            OnWorkers(entry, static active => active.StopAccepting());
        }
        _mainLoop.CreateTimer(() =>
        {
            foreach (var worker in _workers)
            {
                worker.Loop.Post(() =>
                {
                    if (Find(worker, entry.Config) is { } active)
                    {
                        active.StopAccepting();
                        active.CloseConnections(null);
                        worker.Remove(active);
                    }
                });
            }
            _draining.Remove(entry);
            var kept = _active.SelectMany(static e => e.Config.AllChains).ToHashSet();
            CompiledFilterChain.Release(entry.Config.AllChains.Where(chain => !kept.Contains(chain)));
            entry.Config.Scope.Dispose();
            UpdateGauges();
        }).Arm(_services.DrainTime);
    }

    private void OnWorkers(ListenerEntry entry, Action<ActiveListener> work)
    {
        foreach (var worker in _workers)
        {
            worker.Loop.Post(() =>
            {
                if (Find(worker, entry.Config) is { } active)
                {
                    work(active);
                }
            });
        }
    }

    // By its drain, which outlives in-place updates: work posted before one still finds its listener after it.
    private static ActiveListener? Find(WorkerListeners worker, CompiledListener config) =>
        worker.All.FirstOrDefault(active => ReferenceEquals(active.Config.Drain, config.Drain));

    private void OpenSockets(ListenerEntry entry)
    {
        var perWorker = new List<ListenSocket>[_workers.Length];
        for (var i = 0; i < perWorker.Length; i++)
        {
            perWorker[i] = [];
        }
        var bound = new List<EndPoint>();
        try
        {
            foreach (var (address, options) in entry.Config.Addresses)
            {
                var first = ListenSocket.Open(address, options);
                perWorker[0].Add(first);
                bound.Add(first.LocalAddress);
                for (var i = 1; i < perWorker.Length; i++)
                {
                    perWorker[i].Add(options.ReusePort ? ListenSocket.Open(first.LocalAddress, options) : first.Duplicate());
                }
            }
        }
        catch
        {
            foreach (var socket in perWorker.SelectMany(sockets => sockets))
            {
                socket.Close();
            }
            throw;
        }
        entry.Sockets = perWorker;
        entry.LocalAddresses = bound;
    }

    private void RequireFreeAddresses(ListenerEntry entry)
    {
        foreach (var other in _active.Concat(_warming))
        {
            if (other.Config.Name == entry.Config.Name || other.Config.BindToPort != entry.Config.BindToPort)
            {
                continue;
            }
            foreach (var (address, _) in entry.Config.Addresses)
            {
                if (address is not IPEndPoint { Port: 0 } && other.Config.Addresses.Any(own => own.Address.Equals(address)))
                {
                    _stats.Inc(ListenerManagerStat.CreateFailure);
                    throw new ConfigurationException(
                        $"error adding listener: '{entry.Config.Name}' has duplicate address '{Addresses.Format(address)}' as existing listener");
                }
            }
        }
    }

    private static bool SameAddresses(CompiledListener before, CompiledListener after) =>
        before.BindToPort == after.BindToPort && before.Addresses.Count == after.Addresses.Count
        && before.Addresses.Zip(after.Addresses).All(pair =>
            pair.First.Address.Equals(pair.Second.Address)
            && pair.First.Options with { SocketOptions = [] } == pair.Second.Options with { SocketOptions = [] }
            && pair.First.Options.SocketOptions.SequenceEqual(pair.Second.Options.SocketOptions));

    private void Discard(ListenerEntry warming)
    {
        _warming.Remove(warming);
        CloseSockets(warming);
        if (!_active.Exists(active => ReferenceEquals(active.Config.Scope, warming.Config.Scope)))
        {
            warming.Config.Scope.Dispose();
        }
        var kept = _active.SelectMany(static e => e.Config.AllChains).ToHashSet();
        CompiledFilterChain.Release(warming.Config.AllChains.Where(chain => !kept.Contains(chain)));
    }

    private static void CloseSockets(ListenerEntry entry)
    {
        foreach (var socket in entry.Sockets?.SelectMany(sockets => sockets) ?? [])
        {
            socket.Close();
        }
        entry.Sockets = null;
    }

    private void UpdateGauges()
    {
        _stats.Set(ListenerManagerStat.TotalListenersActive, _active.Count);
        _stats.Set(ListenerManagerStat.TotalListenersWarming, _warming.Count);
        _stats.Set(ListenerManagerStat.TotalListenersDraining, _draining.Count);
    }
}
