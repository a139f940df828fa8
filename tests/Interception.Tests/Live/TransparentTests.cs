using System.Net;
using System.Net.Sockets;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>Inbound capture that keeps addresses.</summary>
public sealed class TransparentTests
{
    private const string Transparent = "-m TPROXY -i * -b * -d 15021";

    public static TheoryData<string, bool> Everywhere() => new()
    {
        { "--force-iptables-binary nft", false },
        { "--force-iptables-binary nft", true },
        { "--native-nftables", false },
        { "--native-nftables", true },
    };

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Proxy_accepts_at_the_address_that_was_meant(string tool, bool ipv6)
    {
        using var pod = new Pod(!ipv6, ipv6);
        pod.Apply(Given.Arguments($"{Transparent} {tool}"));
        var any = ipv6 ? IPAddress.IPv6Any : IPAddress.Any;
        using var proxy = pod.Inside.Run(() => Sockets.Listen(any, Ports.InboundCapture, transparent: true));
        using var client = pod.Client.Run(() => Sockets.Connect(Pod.Address(ipv6), 8080));
        using var accepted = Sockets.Accept(proxy);
        Assert.Equal(new IPEndPoint(Pod.Address(ipv6), 8080), accepted.LocalEndPoint);
        Assert.Equal(Pod.ClientAddress(ipv6), ((IPEndPoint)accepted.RemoteEndPoint!).Address);

        client.Send("ping"u8);
        var received = new byte[4];
        Assert.Equal(4, accepted.Receive(received));
    }

    [RootTheory]
    [MemberData(nameof(Everywhere))]
    public void Application_sees_the_client_and_its_answer_comes_back_to_the_proxy(string tool, bool ipv6)
    {
        using var pod = new Pod(!ipv6, ipv6);
        var settings = Given.Arguments($"{Transparent} {tool}");
        pod.Apply(settings);
        pod.Inside.Run(() =>
        {
            using var application = Sockets.Listen(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, 8080);
            // With TPROXY the proxy is root of the group 1337: as user 1337 the redirection of self-calls would catch
            // it.
            using var proxy = Owner.As(
                0, Owner.Proxy, () => new Socket(Pod.Address(ipv6).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            Sockets.SetTransparent(proxy);
            Sockets.SetMark(proxy, (int)settings.TransparentMark);
            proxy.Bind(new IPEndPoint(Pod.ClientAddress(ipv6), 0));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            proxy.ConnectAsync(new IPEndPoint(Pod.Address(ipv6), 8080), limit.Token).AsTask().GetAwaiter().GetResult();
            using var accepted = Sockets.Accept(application);
            Assert.Equal(Pod.ClientAddress(ipv6), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        });
    }

    [RootFact]
    public void Going_back_to_redirect_leaves_no_rules_of_the_old_mode()
    {
        using var pod = new Pod();
        pod.Apply(Given.Arguments($"{Transparent} --native-nftables"));
        pod.Apply(Given.Arguments($"{Given.AsInjected} --native-nftables"));
        Assert.DoesNotContain("mangle", pod.Inside.Execute("nft", "list", "tables"));
    }

    [RootFact]
    public void Second_run_adds_no_second_policy_rule()
    {
        using var pod = new Pod();
        var settings = Given.Arguments($"{Transparent} --native-nftables");
        pod.Apply(settings);
        var rules = pod.Inside.Execute("ip", "rule");
        pod.Apply(settings);
        Assert.Contains("fwmark 0x539 lookup 133", rules);
        Assert.Equal(rules, pod.Inside.Execute("ip", "rule"));
    }
}
