using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>This machine's own address, as Envoy's LocalInfo knows it.</summary>
internal static class LocalAddresses
{
    private static readonly Lazy<IPAddress> Found = new(Find);

    /// <summary>The first IPv4 address that is not of the loopback; 127.0.0.1 when there is none.</summary>
    public static IPAddress First => Found.Value;

    private static IPAddress Find()
    {
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (var address in network.GetIPProperties().UnicastAddresses)
            {
                if (address.Address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address.Address))
                {
                    return address.Address;
                }
            }
        }
        return IPAddress.Loopback;
    }
}
