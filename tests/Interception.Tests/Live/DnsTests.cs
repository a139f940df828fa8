using System.Net;
using System.Net.Sockets;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>Capture of DNS over UDP and TCP.</summary>
public sealed class DnsTests
{
    public static TheoryData<string, bool> Everywhere() => new()
    {
        { "--force-iptables-binary nft", false },
        { "--force-iptables-binary nft", true },
        { "--native-nftables", false },
        { "--native-nftables", true },
    };

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Application_is_answered_by_the_proxy_in_the_resolvers_name(string tool, bool ipv6)
    {
        using var pod = Started(tool, ipv6);
        var resolver = new IPEndPoint(Pod.ClientAddress(ipv6), 53);
        pod.Inside.Run(() =>
        {
            using var proxy = Owner.As(Owner.Proxy, () => Sockets.Datagrams(Loopback(ipv6), Ports.Dns));
            using var application = Sockets.Datagrams(Pod.Address(ipv6), 0);
            application.SendTo("query"u8, resolver);
            Answer(proxy);
            Assert.Equal(resolver, Sender(application));
        });
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Proxy_asks_the_resolver_even_from_a_port_the_application_just_used(string tool, bool ipv6)
    {
        using var pod = Started(tool, ipv6);
        var resolver = new IPEndPoint(Pod.ClientAddress(ipv6), 53);
        using var server = pod.Client.Run(() => Sockets.Datagrams(resolver.Address, 53));
        pod.Inside.Run(() =>
        {
            using var proxy = Owner.As(Owner.Proxy, () => Sockets.Datagrams(Loopback(ipv6), Ports.Dns));
            int port;
            using (var application = Sockets.Datagrams(Pod.Address(ipv6), 0))
            {
                port = ((IPEndPoint)application.LocalEndPoint!).Port;
                application.SendTo("query"u8, resolver);
                Answer(proxy);
                Sender(application);
            }
            using var upstream = Owner.As(Owner.Proxy, () => Sockets.Datagrams(Pod.Address(ipv6), port));
            upstream.SendTo("query"u8, resolver);
            Answer(server);
            Assert.Equal(resolver, Sender(upstream));
            Assert.False(proxy.Poll(0, SelectMode.SelectRead));
        });
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Queries_to_other_servers_than_the_resolvers_leave(string tool, bool ipv6)
    {
        using var pod = Started(tool, ipv6);
        var other = ipv6 ? IPAddress.Parse("fd77::53") : IPAddress.Parse("10.77.0.53");
        pod.Client.Ip($"addr add {other}/{(ipv6 ? "128" : "32")} dev lo");
        pod.Client.Ip($"route add {Pod.Address(ipv6)} dev peer0");
        pod.Inside.Ip($"route add {other} via {Pod.ClientAddress(ipv6)}");
        using var server = pod.Client.Run(() => Sockets.Datagrams(other, 53));
        pod.Inside.Run(() =>
        {
            using var application = Sockets.Datagrams(Pod.Address(ipv6), 0);
            application.SendTo("query"u8, new IPEndPoint(other, 53));
            Answer(server);
            Assert.Equal(other, Sender(application).Address);
        });
    }

    private static Pod Started(string tool, bool ipv6)
    {
        var pod = new Pod(!ipv6, ipv6);
        var settings = Given.Arguments($"{Given.AsInjected} --redirect-dns {tool}");
        pod.Apply(settings, new PodNetwork(ipv6, true, [Pod.ClientAddress(ipv6)]));
        return pod;
    }

    private static IPAddress Loopback(bool ipv6) => ipv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    private static void Answer(Socket server)
    {
        var buffer = new byte[64];
        EndPoint sender =
            new IPEndPoint(server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        server.ReceiveFrom(buffer, ref sender);
        server.SendTo("answer"u8, sender);
    }

    private static IPEndPoint Sender(Socket socket)
    {
        var buffer = new byte[64];
        EndPoint sender =
            new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        socket.ReceiveFrom(buffer, ref sender);
        return (IPEndPoint)sender;
    }
}
