using System.Net;
using Microsoft.AspNetCore.Connections;

namespace MeshProxy.Proxy.Transport.Kestrel;

/// <summary>
/// Puts Kestrel on our loops: what is not proxied traffic is then accepted, read and written as that is. Register it as
/// IConnectionListenerFactory.
/// </summary>
/// <param name="loops">Running loops; each accepts from every listener.</param>
public sealed class LoopConnectionListenerFactory(IReadOnlyList<EventLoop> loops) : IConnectionListenerFactory
{
    /// <summary>Listens; the port is the kernel's choice where 0 is asked.</summary>
    /// <exception cref="IOException">The address cannot be bound; says why.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        // As Kestrel's own transport, the unspecified IPv6 address takes IPv4 too.
        var options = new ListenOptions
        {
            ReusePort = false,
            Ipv4Compatible = endpoint is IPEndPoint ip && ip.Address.Equals(IPAddress.IPv6Any),
        };
        return new(new LoopConnectionListener(ListenSocket.Open(endpoint, options), loops));
    }
}
