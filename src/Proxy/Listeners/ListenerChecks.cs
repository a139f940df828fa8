using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Refuses options of a listener that do not go together (upstream 18).</summary>
internal static class ListenerChecks
{
    public static void Check(Listener listener, string name)
    {
        if (listener.InternalListener is not null)
        {
            CheckInternal(listener, name);
        }
        else if (IsInternal(listener.Address) || listener.AdditionalAddresses.Any(static each => IsInternal(each.Address)))
        {
            throw new ConfigurationException(
                $"error adding listener named '{name}': use internal_listener field instead of address for internal listeners");
        }
        if (listener.EnableMptcp && listener.Address?.SocketAddress is null)
        {
            throw new ConfigurationException($"listener {name}: enable_mptcp can only be used with IP addresses");
        }
        if (listener.ConnectionBalanceConfigValue?.ExtendBalance is { } balance)
        {
            throw new ConfigurationException(
                $"Didn't find a registered implementation for type: '{balance.TypedConfig?.TypeName}' in connection_balance_config of listener {name}; use exact_balance.");
        }
    }

    // An internal listener has no socket to which such options could apply.
    private static void CheckInternal(Listener listener, string name)
    {
        if (listener.Address is not null || listener.AdditionalAddresses.Count > 0)
        {
            throw new ConfigurationException(
                $"error adding listener '{name}': address should not be used when an internal listener config is provided");
        }
        if (listener.ConnectionBalanceConfigValue?.ExactBalanceValue is not null || listener.EnableMptcp
            || listener.EnableReusePort is not null || listener.Freebind == true || listener.Transparent == true
            || listener.TcpBacklogSize is not null || listener.TcpFastOpenQueueLength is not null)
        {
            throw new ConfigurationException($"error adding listener named '{name}': has unsupported tcp listener feature");
        }
        if (listener.SocketOptions.Count > 0)
        {
            throw new ConfigurationException($"error adding listener named '{name}': does not support socket option");
        }
    }

    private static bool IsInternal(Address? address) => address?.EnvoyInternalAddress is not null;
}
