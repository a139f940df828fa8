using System.Net;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Small operations on addresses of endpoints.</summary>
internal static class AddressFormat
{
    public static IPEndPoint WithPort(IPEndPoint address, int port) => new(address.Address, port);
}
