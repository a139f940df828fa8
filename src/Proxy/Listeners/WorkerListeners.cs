using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>The listeners of one loop (Envoy's ConnectionHandler): finds one by address for hand-over and internal connections.</summary>
internal sealed class WorkerListeners(EventLoop loop, ConnectionLimit globalLimit, OverloadState overload)
{
    private readonly List<ActiveListener> _active = [];

    private readonly OverloadAction _reject = overload.Action("envoy.overload_actions.reject_incoming_connections");
    private readonly OverloadAction _shed = overload.Action("envoy.load_shed_points.tcp_listener_accept");

    public EventLoop Loop { get; } = loop;

    /// <summary>Of all listeners together: overload.global_downstream_max_connections, or the downstream_connections monitor.</summary>
    public ConnectionLimit GlobalLimit { get; } = globalLimit;

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

    /// <summary>Whether overload refuses this connection.</summary>
    public bool RejectsConnections() => _reject.Takes() || _shed.Takes();

    private static bool IsWildcardFor(IPEndPoint own, ListenOptions options, IPEndPoint wanted) =>
        wanted.AddressFamily == own.AddressFamily
            ? own.Address.Equals(IPAddress.Any) || own.Address.Equals(IPAddress.IPv6Any)
            : own.Address.Equals(IPAddress.IPv6Any) && options.Ipv4Compatible;
}
