using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;
using static MeshProxy.Interception.Rules.Table;

namespace MeshProxy.Interception.Rules;

/// <summary>
/// Plans the rules for a pod. The order within a chain decides; each step says what it keeps from happening.
/// Outbound connections of the application go to the proxy, the proxy's own leave; inbound connections go to the proxy,
/// the proxy's connections to the application pass.
/// </summary>
public sealed class RulePlanner
{
    private static readonly Target.Return Leave = new();
    private static readonly Match Loopback = new Match.OutInterface("lo");
    private static readonly Match Tcp = new Match.Protocol(Transport.Tcp);

    private readonly InterceptionSettings _settings;
    private readonly RuleSetBuilder _rules;
    private readonly AddressRange[] _loopbacks;
    private readonly AddressRange[] _inboundSources = [Owners.IPv4Inbound, Owners.IPv6Inbound];

    private RulePlanner(InterceptionSettings settings, PodNetwork network)
    {
        _settings = settings;
        _rules = new RuleSetBuilder(network.IPv6 ? Families.Both : Families.IPv4);
        _loopbacks = [settings.IPv4Loopback, Owners.IPv6Loopback];
    }

    public static RuleSet Plan(InterceptionSettings settings, PodNetwork network)
    {
        var planner = new RulePlanner(settings, network);
        var dns = network.CapturesDns ? new DnsRules(settings, network, planner._rules) : null;
        planner.LeaveInterfacesAlone();
        planner.DropInvalid();
        planner.Redirections();
        planner.Inbound();
        planner.Outbound(dns);
        if (settings.TransparentInbound)
            new TransparentRules(settings, planner._rules).AddMarks();
        dns?.AddZones();
        return planner._rules.Build();
    }

    private void LeaveInterfacesAlone()
    {
        foreach (var name in _settings.ExcludedInterfaces)
        {
            Span<Table> tables = _settings.TransparentInbound ? [Nat, Mangle] : [Nat];
            foreach (var table in tables)
            {
                _rules.Append(table, Chains.Prerouting, Leave, new Match.InInterface(name));
                _rules.Append(table, Chains.Output, Leave, new Match.OutInterface(name));
            }
        }
        // Inserted before any other rule; the redirections of Outbound are inserted above them later.
        foreach (var name in _settings.VirtualInterfaces)
            _rules.Insert(1, Nat, Chains.Prerouting, Leave, new Match.InInterface(name));
    }

    private void DropInvalid()
    {
        if (!_settings.DropInvalid)
            return;
        var jump = new Target.Jump(Chains.DropInvalid);
        var invalid = new Match.State(ConnectionStates.Invalid);
        // As Istio's two tools have it: nft's tables hold both families, and only TCP is theirs to drop.
        if (_settings.NativeNftables)
            _rules.Append(Mangle, Chains.Prerouting, jump, Tcp, invalid);
        else
            _rules.Append(Mangle, Chains.Prerouting, jump, invalid);
        _rules.Append(Mangle, Chains.DropInvalid, new Target.Drop());
    }

    private void Redirections()
    {
        _rules.Append(Nat, Chains.OwnInbound, Leave, Port(_settings.InboundTunnelPort));
        _rules.Append(Nat, Chains.OutboundRedirect, new Target.Redirect(_settings.OutboundCapturePort), Tcp);
        _rules.Append(Nat, Chains.InboundRedirect, new Target.Redirect(_settings.InboundCapturePort), Tcp);
    }

    private void Inbound()
    {
        if (_settings.InboundPorts.IsEmpty)
            return;
        if (_settings.TransparentInbound)
        {
            new TransparentRules(_settings, _rules).AddInbound();
            return;
        }
        _rules.Append(Nat, Chains.Prerouting, new Target.Jump(Chains.OwnInbound), Tcp);
        var capture = new Target.Jump(Chains.InboundRedirect);
        if (!_settings.InboundPorts.All)
        {
            foreach (var port in _settings.InboundPorts.Ports)
                _rules.Append(Nat, Chains.OwnInbound, capture, Port(port));
            return;
        }
        foreach (var port in _settings.ExcludedInboundPorts)
            _rules.Append(Nat, Chains.OwnInbound, Leave, Port(port));
        _rules.Append(Nat, Chains.OwnInbound, capture, Tcp);
    }

    private void Outbound(DnsRules? dns)
    {
        // Not limited to TCP: DNS over UDP has to get there too.
        _rules.Append(Nat, Chains.Output, new Target.Jump(Chains.OwnOutbound));
        foreach (var port in _settings.ExcludedOutboundPorts)
        {
            _rules.Append(Nat, Chains.OwnOutbound, Leave, Port(port));
            _rules.Append(Nat, Chains.OwnOutbound, Leave, Port(port, Transport.Udp));
        }
        // The proxy's connections to its application; without this the rules for self-calls would send them back for
        // ever.
        foreach (var source in _inboundSources)
            _rules.Append(Nat, Chains.OwnOutbound, Leave, Loopback, new Match.Source(source));
        foreach (var user in _settings.ProxyUsers)
            ProxyOwner(new Match.User(user), new Match.User(user, Not: true), dns is not null, dns is not null);
        foreach (var group in _settings.ProxyGroups)
            ProxyOwner(new Match.Group(group), new Match.Group(group, Not: true), false, dns is not null);
        OwnerGroups();
        dns?.AddRedirections();
        foreach (var loopback in _loopbacks)
            _rules.Append(Nat, Chains.OwnOutbound, Leave, new Match.Destination(loopback));
        foreach (var range in ByFamily(_settings.ExcludedOutboundRanges))
            _rules.Append(Nat, Chains.OwnOutbound, Leave, new Match.Destination(range));
        foreach (var port in _settings.OutboundPorts)
            _rules.Append(Nat, Chains.OwnOutbound, new Target.Jump(Chains.OutboundRedirect), Port(port));
        CaptureRanges();
    }

    // 1. The proxy calls its own pod's address: the application called its own Service, so inbound policy has to see
    // the request. 2. Anybody else on loopback: the application calls itself and is not proxied. Without it when
    // loopback ranges are to be captured. 3. The proxy's own upstream connections leave: what breaks the loop.
    private void ProxyOwner(Match proxy, Match notProxy, bool selfCallLeavesDns, bool localLeavesDns)
    {
        Match selfCall = selfCallLeavesDns
            ? new Match.DestinationPort(Transport.Tcp, [53, _settings.InboundTunnelPort], Not: true)
            : new Match.DestinationPort(Transport.Tcp, [_settings.InboundTunnelPort], Not: true);
        foreach (var loopback in _loopbacks)
            _rules.Append(
                Nat, Chains.OwnOutbound, new Target.Jump(Chains.InboundRedirect),
                Loopback, new Match.Destination(loopback, Not: true), selfCall, proxy);
        if (!_settings.OutboundRanges.HasLoopback && localLeavesDns)
            _rules.Append(
                Nat, Chains.OwnOutbound, Leave,
                Loopback, new Match.DestinationPort(Transport.Tcp, [53], Not: true), notProxy);
        else if (!_settings.OutboundRanges.HasLoopback)
            _rules.Append(Nat, Chains.OwnOutbound, Leave, Loopback, notProxy);
        _rules.Append(Nat, Chains.OwnOutbound, Leave, proxy);
    }

    private void OwnerGroups()
    {
        if (_settings.OwnerGroups.IsEmpty)
        {
            foreach (var group in _settings.ExcludedOwnerGroups)
                _rules.Append(Nat, Chains.OwnOutbound, Leave, new Match.Group(group));
            return;
        }
        Match[] none = [.. _settings.OwnerGroups.Select(group => new Match.Group(group, Not: true))];
        _rules.Append(Nat, Chains.OwnOutbound, Leave, none);
    }

    private void CaptureRanges()
    {
        var capture = new Target.Jump(Chains.OutboundRedirect);
        if (_settings.OutboundRanges.All)
        {
            foreach (var name in _settings.VirtualInterfaces)
                _rules.Insert(1, Nat, Chains.Prerouting, capture, new Match.InInterface(name));
            _rules.Append(Nat, Chains.OwnOutbound, capture);
            return;
        }
        foreach (var range in ByFamily(_settings.OutboundRanges.Ranges))
        {
            var destination = new Match.Destination(range);
            foreach (var name in _settings.VirtualInterfaces)
                _rules.Insert(1, Nat, Chains.Prerouting, capture, new Match.InInterface(name), destination);
            _rules.Append(Nat, Chains.OwnOutbound, capture, destination);
        }
    }

    private static IEnumerable<AddressRange> ByFamily(IEnumerable<AddressRange> ranges) =>
        ranges.OrderBy(r => r.IsIPv6);

    private static Match.DestinationPort Port(int port, Transport transport = Transport.Tcp) => new(transport, [port]);
}
