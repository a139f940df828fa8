using System.Net;
using System.Net.Sockets;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>
/// Real connections through real rules: who is redirected, who is not, with each tool, for each family.
/// </summary>
public sealed class RedirectTests
{
    private const string Excluding =
        "-i * -x 192.0.2.128/25,2001:db8:0:1::/64 -o 7777 -b * -d 15090,15021,15020";

    public static TheoryData<string, bool, bool> Everywhere()
    {
        var data = new TheoryData<string, bool, bool>();
        string[] tools = ["--force-iptables-binary nft", "--force-iptables-binary legacy", "--native-nftables"];
        foreach (var tool in tools)
        {
            data.Add(tool, true, false);
            data.Add(tool, false, true);
            data.Add(tool, true, true);
        }
        return data;
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Application_reaches_the_proxy_instead_of_a_remote(string tool, bool ipv4, bool ipv6)
    {
        using var pod = Started(tool, ipv4, ipv6);
        foreach (var six in FamiliesOf(ipv4, ipv6))
            pod.Inside.Run(() =>
            {
                using var proxy = Sockets.Listen(Any(six), Ports.OutboundCapture);
                using var application = Sockets.Connect(Pod.Remote(six), 80);
                using var accepted = Sockets.Accept(proxy);
                Assert.Equal(new IPEndPoint(Pod.Remote(six), 80), Sockets.OriginalDestination(accepted));
            });
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Proxy_reaches_a_remote_itself(string tool, bool ipv4, bool ipv6)
    {
        using var pod = Started(tool, ipv4, ipv6);
        foreach (var six in FamiliesOf(ipv4, ipv6))
        {
            using var remote = pod.Client.Run(() => Sockets.Listen(Any(six), 9000));
            pod.Inside.Run(() =>
            {
                using var trap = Sockets.Listen(Any(six), Ports.OutboundCapture);
                using var upstream = Owner.As(Owner.Proxy, () => Sockets.Connect(Pod.ClientAddress(six), 9000));
                Assert.False(trap.Poll(0, SelectMode.SelectRead));
            });
            using var accepted = Sockets.Accept(remote);
            Assert.Equal(Pod.Address(six), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        }
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Excluded_destinations_are_left_alone(string tool, bool ipv4, bool ipv6)
    {
        using var pod = Started(tool, ipv4, ipv6);
        pod.Client.Ip("addr add 192.0.2.200/32 dev lo");
        pod.Client.Ip("-6 addr add 2001:db8:0:1::1/128 dev lo nodad");
        foreach (var six in FamiliesOf(ipv4, ipv6))
        {
            using var byPort = pod.Client.Run(() => Sockets.Listen(Any(six), 7777));
            using var byRange = pod.Client.Run(() => Sockets.Listen(Any(six), 8888));
            pod.Inside.Run(() =>
            {
                using var trap = Sockets.Listen(Any(six), Ports.OutboundCapture);
                using var first = Sockets.Connect(Pod.ClientAddress(six), 7777);
                using var second = Sockets.Connect(IPAddress.Parse(six ? "2001:db8:0:1::1" : "192.0.2.200"), 8888);
                Assert.False(trap.Poll(0, SelectMode.SelectRead));
            });
        }
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Inbound_connections_reach_the_proxy_except_on_excluded_ports(string tool, bool ipv4, bool ipv6)
    {
        using var pod = Started(tool, ipv4, ipv6);
        foreach (var six in FamiliesOf(ipv4, ipv6))
        {
            using var proxy = pod.Inside.Run(() => Sockets.Listen(Any(six), Ports.InboundCapture));
            using var readiness = pod.Inside.Run(() => Sockets.Listen(Any(six), Ports.Readiness));
            using var tunnel = pod.Inside.Run(() => Sockets.Listen(Any(six), Ports.InboundTunnel));
            using var captured = pod.Client.Run(() => Sockets.Connect(Pod.Address(six), 8080));
            using var excluded = pod.Client.Run(() => Sockets.Connect(Pod.Address(six), Ports.Readiness));
            using var tunnelled = pod.Client.Run(() => Sockets.Connect(Pod.Address(six), Ports.InboundTunnel));
            using var accepted = Sockets.Accept(proxy);
            Assert.Equal(new IPEndPoint(Pod.Address(six), 8080), Sockets.OriginalDestination(accepted));
            Assert.Equal(Pod.ClientAddress(six), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
            using var ready = Sockets.Accept(readiness);
            using var tunnelEnd = Sockets.Accept(tunnel);
            Assert.False(proxy.Poll(0, SelectMode.SelectRead));
        }
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Calls_within_the_pod_go_where_policy_wants_them(string tool, bool ipv4, bool ipv6)
    {
        using var pod = Started(tool, ipv4, ipv6);
        foreach (var six in FamiliesOf(ipv4, ipv6))
            pod.Inside.Run(() =>
            {
                using var inbound = Sockets.Listen(Any(six), Ports.InboundCapture);
                using var application = Sockets.Listen(Any(six), 8080);

                // The application calls its own pod: direct.
                using var direct = Sockets.Connect(Pod.Address(six), 8080);
                using var directEnd = Sockets.Accept(application);

                // The proxy's outbound side picked its own pod: inbound policy has to see it.
                using var selfCall = Owner.As(Owner.Proxy, () => Sockets.Connect(Pod.Address(six), 8080));
                using var selfCallEnd = Sockets.Accept(inbound);
                Assert.Equal(new IPEndPoint(Pod.Address(six), 8080), Sockets.OriginalDestination(selfCallEnd));

                // The proxy's inbound side delivers: from its own source address, and no loop.
                var source = (six ? Owners.IPv6Inbound : Owners.IPv4Inbound).Address;
                using var delivery = Owner.As(Owner.Proxy, () => Sockets.Connect(Pod.Address(six), 8080, source));
                using var deliveryEnd = Sockets.Accept(application);
                Assert.Equal(source, ((IPEndPoint)deliveryEnd.RemoteEndPoint!).Address);
            });
    }

    [RootTheory]
    [InlineData("--force-iptables-binary nft")]
    [InlineData("--force-iptables-binary legacy")]
    [InlineData("--native-nftables")]
    public void Virtual_machine_traffic_counts_as_outbound(string tool)
    {
        using var pod = new Pod();
        pod.Apply(Given.Arguments($"-i * -b * -k eth0 {tool}"));
        using var proxy = pod.Inside.Run(() => Sockets.Listen(IPAddress.Any, Ports.OutboundCapture));
        pod.Client.Ip($"route add {Pod.RemoteV4}/32 via {Pod.PodV4}");
        pod.Inside.Execute("sysctl", "-qw", "net.ipv4.ip_forward=1");
        using var guest = pod.Client.Run(() => Sockets.Connect(Pod.RemoteV4, 443));
        using var accepted = Sockets.Accept(proxy);
        Assert.Equal(new IPEndPoint(Pod.RemoteV4, 443), Sockets.OriginalDestination(accepted));
    }

    private static Pod Started(string tool, bool ipv4, bool ipv6)
    {
        var pod = new Pod(ipv4, ipv6);
        pod.Apply(Given.Arguments($"{Excluding} --dual-stack {tool}"));
        return pod;
    }

    private static IEnumerable<bool> FamiliesOf(bool ipv4, bool ipv6)
    {
        if (ipv4)
            yield return false;
        if (ipv6)
            yield return true;
    }

    private static IPAddress Any(bool ipv6) => ipv6 ? IPAddress.IPv6Any : IPAddress.Any;
}
