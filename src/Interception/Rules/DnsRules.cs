using System.Net.Sockets;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;
using static MeshProxy.Interception.Rules.Table;

namespace MeshProxy.Interception.Rules;

/// <summary>
/// Capture of DNS. Connection tracking outlives sockets: a source port that the application used a moment ago may be
/// the proxy's next one, and the old translation would bring the proxy's query back to itself. So the two kinds of
/// queries live in zones of their own. The first zone given to a packet stays, hence the proxy's rules come first.
/// </summary>
internal sealed class DnsRules(InterceptionSettings settings, PodNetwork network, RuleSetBuilder rules)
{
    private const int DnsPort = 53;
    private static readonly Target.Zone ProxyZone = new(1);
    private static readonly Target.Zone ApplicationZone = new(2);
    private static readonly Match QueryOverUdp = new Match.DestinationPort(Transport.Udp, [DnsPort]);
    private static readonly Match AnswerOverUdp = new Match.SourcePort(Transport.Udp, DnsPort);

    private readonly IReadOnlyList<AddressRange> _servers = [.. network.Resolvers
        .Where(address => network.IPv6 || address.AddressFamily == AddressFamily.InterNetwork)
        .OrderBy(address => address.AddressFamily == AddressFamily.InterNetworkV6)
        .Select(AddressRange.Host)];

    private Families Captured => settings.CaptureAllDns ? Families.Both : FamiliesOf(_servers);

    public void AddRedirections()
    {
        rules.AppendFor(Captured, Nat, Chains.OwnOutbound, new Target.Jump(Chains.Dns));
        var redirect = new Target.Redirect(Ports.Dns);
        Span<Transport> transports = [Transport.Tcp, Transport.Udp];
        foreach (var transport in transports)
        {
            var query = new Match.DestinationPort(transport, [DnsPort]);
            if (settings.CaptureAllDns)
                rules.Append(Nat, Chains.Dns, redirect, query);
            else
                foreach (var server in _servers)
                    rules.Append(Nat, Chains.Dns, redirect, query, new Match.Destination(server));
        }
    }

    public void AddZones()
    {
        rules.Append(Raw, Chains.Output, new Target.Jump(Chains.Dns));
        Match[] proxy =
        [
            .. settings.ProxyUsers.Select(u => new Match.User(u)),
            .. settings.ProxyGroups.Select(g => new Match.Group(g)),
        ];
        foreach (var owner in proxy)
        {
            rules.Append(Raw, Chains.Dns, ProxyZone, QueryOverUdp, owner);
            rules.Append(Raw, Chains.Dns, ApplicationZone, new Match.SourcePort(Transport.Udp, Ports.Dns), owner);
        }
        rules.AppendFor(Captured, Raw, Chains.Prerouting, new Target.Jump(Chains.OwnInbound));
        if (settings.CaptureAllDns)
        {
            rules.Append(Raw, Chains.Dns, ApplicationZone, QueryOverUdp);
            rules.Append(Raw, Chains.OwnInbound, ProxyZone, AnswerOverUdp);
            return;
        }
        foreach (var server in _servers)
        {
            rules.Append(Raw, Chains.Dns, ApplicationZone, QueryOverUdp, new Match.Destination(server));
            rules.Append(Raw, Chains.OwnInbound, ProxyZone, AnswerOverUdp, new Match.Source(server));
        }
    }

    private static Families FamiliesOf(IReadOnlyList<AddressRange> servers)
    {
        var families = Families.None;
        foreach (var server in servers)
            families |= server.IsIPv6 ? Families.IPv6 : Families.IPv4;
        return families;
    }
}
