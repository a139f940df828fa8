using System.Net;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A pod and a client that is its only neighbour and its router, each in a namespace of its own.</summary>
public sealed class Pod : IDisposable
{
    public static readonly IPAddress PodV4 = IPAddress.Parse("10.77.0.2");
    public static readonly IPAddress PodV6 = IPAddress.Parse("fd77::2");
    public static readonly IPAddress ClientV4 = IPAddress.Parse("10.77.0.1");
    public static readonly IPAddress ClientV6 = IPAddress.Parse("fd77::1");

    // Addresses for documentation (RFC 5737, RFC 3849): nobody has them, so only a redirected connection to one
    // succeeds.
    public static readonly IPAddress RemoteV4 = IPAddress.Parse("192.0.2.10");
    public static readonly IPAddress RemoteV6 = IPAddress.Parse("2001:db8::10");

    public Pod(bool ipv4 = true, bool ipv6 = false)
    {
        Inside.Ip($"link add eth0 type veth peer name peer0 netns {Client.Name}");
        Inside.Ip("link set eth0 up");
        Client.Ip("link set peer0 up");
        if (ipv4)
        {
            Inside.Ip($"addr add {PodV4}/24 dev eth0");
            Inside.Ip($"route add default via {ClientV4}");
            Client.Ip($"addr add {ClientV4}/24 dev peer0");
        }
        if (!ipv6)
            return;
        Inside.Ip($"-6 addr add {PodV6}/64 dev eth0 nodad");
        Inside.Ip($"-6 route add default via {ClientV6}");
        Client.Ip($"-6 addr add {ClientV6}/64 dev peer0 nodad");
    }

    public TestNamespace Inside { get; } = new();

    public TestNamespace Client { get; } = new();

    public List<string> Notes { get; } = [];

    public static IPAddress Address(bool ipv6) => ipv6 ? PodV6 : PodV4;

    public static IPAddress ClientAddress(bool ipv6) => ipv6 ? ClientV6 : ClientV4;

    public static IPAddress Remote(bool ipv6) => ipv6 ? RemoteV6 : RemoteV4;

    public void Apply(InterceptionSettings settings, PodNetwork? network = null) => Inside.Run(runner =>
    {
        Interceptor(settings, network, runner).Apply();
        return true;
    });

    public void Remove(InterceptionSettings settings, PodNetwork? network = null) => Inside.Run(runner =>
    {
        Interceptor(settings, network, runner).Remove();
        return true;
    });

    public string Snapshot(InterceptionSettings settings, PodNetwork? network = null) =>
        Inside.Run(runner => Interceptor(settings, network, runner).Snapshot());

    public void Dispose()
    {
        Inside.Dispose();
        Client.Dispose();
    }

    private Interceptor Interceptor(InterceptionSettings settings, PodNetwork? network, ICommandRunner runner) =>
        new(settings, network ?? PodNetwork.Discover(settings, Notes.Add), runner, Notes.Add);
}
