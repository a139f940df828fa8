using System.Net;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>The facts of a call that the proxy makes itself: there is no downstream connection.</summary>
internal static class CallInfo
{
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 0);

    private static readonly ConnectionInfo Nobody = new()
    {
        LocalAddress = Loopback,
        DirectLocalAddress = Loopback,
        RemoteAddress = Loopback,
        DirectRemoteAddress = Loopback,
    };

    public static StreamInfo New() => new()
    {
        StartTime = EventLoop.Current?.UtcNow ?? DateTime.UtcNow,
        StartNanoseconds = EventLoop.NowNanoseconds,
        Downstream = Nobody,
    };
}
