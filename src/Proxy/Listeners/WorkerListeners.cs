using System.Net;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>The listeners of one loop (Envoy's ConnectionHandler): finds one by address for hand-over and internal connections.</summary>
internal sealed class WorkerListeners(EventLoop loop, GlobalConnectionLimit globalLimit)
{
    private readonly List<ActiveListener> _active = [];

    public EventLoop Loop { get; } = loop;

    /// <summary>Called on the loop when a listener's last connection has ended.</summary>
    public Action<ActiveListener>? Emptied { get; set; }

    public IReadOnlyList<ActiveListener> All => _active;

    public ActiveListener Add(CompiledListener listener)
    {
        var active = new ActiveListener(this, listener);
        _active.Add(active);
        return active;
    }

    public void Remove(ActiveListener listener) => _active.Remove(listener);

    /// <summary>The listener of that address, else of the wildcard address with its port; stopped ones are not found.</summary>
    public ActiveListener? FindByAddress(EndPoint address)
    {
        ActiveListener? wildcard = null;
        foreach (var listener in _active)
        {
            if (listener.Stopped)
            {
                continue;
            }
            foreach (var own in listener.Config.Addresses)
            {
                if (own.Address.Equals(address))
                {
                    return listener;
                }
                if (address is IPEndPoint wanted && own.Address is IPEndPoint ip && ip.Port == wanted.Port
                    && IsWildcardFor(ip, own.Options, wanted))
                {
                    wildcard ??= listener;
                }
            }
        }
        return wildcard;
    }

    public ActiveListener? FindInternal(string name)
    {
        foreach (var listener in _active)
        {
            if (!listener.Stopped && listener.Config.IsInternal && listener.Config.Name == name)
            {
                return listener;
            }
        }
        return null;
    }

    public bool TryTakeGlobal(CompiledListener listener) =>
        listener.IgnoreGlobalConnectionLimit || globalLimit.TryTake();

    public void ReleaseGlobal(CompiledListener listener)
    {
        if (!listener.IgnoreGlobalConnectionLimit)
        {
            globalLimit.Release();
        }
    }

    public void OnConnectionEnded(ActiveListener listener)
    {
        if (listener.ConnectionCount == 0)
        {
            Emptied?.Invoke(listener);
        }
    }

    private static bool IsWildcardFor(IPEndPoint own, ListenOptions options, IPEndPoint wanted) =>
        wanted.AddressFamily == own.AddressFamily
            ? own.Address.Equals(IPAddress.Any) || own.Address.Equals(IPAddress.IPv6Any)
            : own.Address.Equals(IPAddress.IPv6Any) && options.Ipv4Compatible;
}

/// <summary>overload.global_downstream_max_connections (or the downstream_connections resource monitor); no limit by default.</summary>
internal sealed class GlobalConnectionLimit(Func<ulong> max)
{
    private readonly ConnectionLimit _limit = new(max);

    public long Count => _limit.Count;

    public bool TryTake() => _limit.TryTake();

    public void Release() => _limit.Release();
}
