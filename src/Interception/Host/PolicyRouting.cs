using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Host;

/// <summary>
/// Addresses and routes that rules need: ::6 on lo, source of the proxy's IPv6 connections to its application
/// (127.0.0.6 is local anyway), and with TPROXY a policy rule that brings marked packets to lo. Everything is looked up
/// first, so a second run adds nothing.
/// </summary>
internal sealed class PolicyRouting(InterceptionSettings settings, ICommandRunner runner)
{
    private string Mark => $"0x{settings.TransparentMark:x}";

    private string Route => settings.TransparentRouteTable.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public void Apply(bool ipv6)
    {
        // Without duplicate address detection: until that is over, nobody can bind to the address.
        if (ipv6 && !HasInboundAddress())
            Ip("-6", "addr", "add", Owners.IPv6Inbound.ToString(), "dev", "lo", "nodad");
        if (!settings.TransparentInbound || settings.InboundPorts.IsEmpty)
            return;
        foreach (var family in ipv6 ? [Families.IPv4, Families.IPv6] : new[] { Families.IPv4 })
        {
            if (RuleCount(family) == 0)
                Ip(Letter(family), "rule", "add", "fwmark", Mark, "lookup", Route);
            if (!HasRoute(family))
                Ip(Letter(family), "route", "add", "local", "default", "dev", "lo", "table", Route);
        }
    }

    public void Remove()
    {
        if (HasInboundAddress())
            Ip("-6", "addr", "del", Owners.IPv6Inbound.ToString(), "dev", "lo");
        foreach (var family in new[] { Families.IPv4, Families.IPv6 })
        {
            // Istio's own tool adds one more with every run.
            for (var count = RuleCount(family); count > 0; count--)
                Ip(Letter(family), "rule", "del", "fwmark", Mark, "lookup", Route);
            if (HasRoute(family))
                Ip(Letter(family), "route", "del", "local", "default", "dev", "lo", "table", Route);
        }
    }

    private bool HasInboundAddress() =>
        runner.Run("ip", ["-6", "addr", "show", "dev", "lo"]).Output
            .Contains($"inet6 {Owners.IPv6Inbound} ", StringComparison.Ordinal);

    private int RuleCount(Families family) =>
        runner.Run("ip", [Letter(family), "rule", "show"]).Output.Split('\n')
            .Count(line => $"{line.Trim()} ".Contains($"fwmark {Mark} lookup {Route} ", StringComparison.Ordinal));

    // Fails while the table has no route at all, and that means the same.
    private bool HasRoute(Families family) =>
        runner.Run("ip", [Letter(family), "route", "show", "table", Route]).Output
            .Contains("local default dev lo", StringComparison.Ordinal);

    private static string Letter(Families family) => family == Families.IPv6 ? "-6" : "-4";

    private void Ip(params string[] arguments)
    {
        var result = runner.Run("ip", arguments);
        if (!result.Succeeded)
            throw new InterceptionException($"`ip {string.Join(' ', arguments)}` failed: {result.Complaint}");
    }
}
