using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>internal_address_config: whose requests may set x-envoy-* headers.</summary>
internal sealed record InternalAddresses(CidrRange[] Ranges, bool UnixSockets)
{
    public bool Contains(EndPoint address) => address switch
    {
        IPEndPoint ip => CidrRange.AnyContains(Ranges, ip.Address),
        UnixDomainSocketEndPoint => UnixSockets,
        _ => false,
    };
}
