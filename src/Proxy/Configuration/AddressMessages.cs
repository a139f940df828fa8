using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Transport;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace MeshProxy.Proxy.Configuration;

/// <summary>End points as core.v3.Address.</summary>
internal static class AddressMessages
{
    public static Address Of(EndPoint endPoint)
    {
        var address = Address.New();
        switch (endPoint)
        {
            case IPEndPoint ip:
                var socket = SocketAddress.New();
                socket.Address = ip.Address.ToString();
                socket.PortValue = (uint)ip.Port;
                address.SocketAddress = socket;
                break;
            case InternalEndPoint inside:
                var internalAddress = EnvoyInternalAddress.New();
                internalAddress.ServerListenerName = inside.ServerListenerName;
                internalAddress.EndpointId = inside.EndpointId;
                address.EnvoyInternalAddress = internalAddress;
                break;
            case UnixDomainSocketEndPoint pipe:
                var path = Pipe.New();
                path.Path = pipe.ToString();
                address.Pipe = path;
                break;
        }
        return address;
    }
}
