using MeshProxy.Interception.Settings;
using static MeshProxy.Interception.Rules.Table;

namespace MeshProxy.Interception.Rules;

/// <summary>
/// Inbound capture that keeps the client's address (TPROXY in mangle). Marked packets are routed to lo by a policy
/// rule, so that answers to a spoofed source come back to the proxy instead of leaving the pod.
/// </summary>
internal sealed class TransparentRules(InterceptionSettings settings, RuleSetBuilder rules)
{
    private static readonly Target.Return Leave = new();
    private static readonly Match Tcp = new Match.Protocol(Transport.Tcp);
    private static readonly Match FromLoopback = new Match.InInterface("lo");
    private static readonly Match ToLoopback = new Match.OutInterface("lo");

    private readonly AddressRange[] _loopbacks = [settings.IPv4Loopback, Owners.IPv6Loopback];
    private readonly AddressRange[] _inboundSources = [Owners.IPv4Inbound, Owners.IPv6Inbound];

    private Match Marked => new Match.PacketMark(settings.TransparentMark);

    public void AddInbound()
    {
        rules.Append(Mangle, Chains.Divert, new Target.SetMark(settings.TransparentMark));
        rules.Append(Mangle, Chains.Divert, new Target.Accept());
        var proxy = new Target.TransparentProxy(settings.InboundCapturePort, settings.TransparentMark);
        foreach (var loopback in _loopbacks)
            rules.Append(Mangle, Chains.TransparentProxy, proxy, Tcp, new Match.Destination(loopback, Not: true));
        rules.Append(Mangle, Chains.Prerouting, new Target.Jump(Chains.OwnInbound), Tcp);
        if (settings.InboundPorts.All)
        {
            foreach (var port in settings.ExcludedInboundPorts)
                rules.Append(Mangle, Chains.OwnInbound, Leave, new Match.DestinationPort(Transport.Tcp, [port]));
            Capture(Tcp);
            return;
        }
        foreach (var port in settings.InboundPorts.Ports)
            Capture(new Match.DestinationPort(Transport.Tcp, [port]));
    }

    /// <summary>
    /// Marks that tell the proxy's connections to the application, and calls to itself, from the rest.
    /// </summary>
    public void AddMarks()
    {
        rules.Append(Mangle, Chains.Prerouting, new Target.SaveMark(), Tcp, Marked);
        // The mark that the proxy put on its socket is not to be overwritten below.
        rules.Append(Mangle, Chains.Output, Leave, Tcp, ToLoopback, Marked);
        Match[] owners =
        [
            .. settings.ProxyUsers.Select(u => new Match.User(u)),
            .. settings.ProxyGroups.Select(g => new Match.Group(g)),
        ];
        foreach (var owner in owners)
            foreach (var loopback in _loopbacks)
                rules.Append(
                    Mangle, Chains.Output, new Target.SetMark(Owners.SelfCallMark),
                    Tcp, ToLoopback, new Match.Destination(loopback, Not: true), owner);
        // The application's answer to a client address that the proxy spoofed.
        rules.Append(
            Mangle, Chains.Output, new Target.RestoreMark(), Tcp, new Match.ConnectionMark(settings.TransparentMark));
        rules.Insert(1, Mangle, Chains.OwnInbound, Leave, Tcp, Marked);
        foreach (var source in _inboundSources)
            rules.Insert(2, Mangle, Chains.OwnInbound, Leave, Tcp, FromLoopback, new Match.Source(source));
        // The application calling its own pod stays direct; only what the proxy marked goes on.
        var notSelfCall = new Match.PacketMark(Owners.SelfCallMark, Not: true);
        rules.Insert(3, Mangle, Chains.OwnInbound, Leave, Tcp, FromLoopback, notSelfCall);
    }

    private void Capture(Match match)
    {
        rules.Append(
            Mangle, Chains.OwnInbound, new Target.Jump(Chains.Divert),
            match, new Match.State(ConnectionStates.RelatedOrEstablished));
        rules.Append(Mangle, Chains.OwnInbound, new Target.Jump(Chains.TransparentProxy), match);
    }
}
