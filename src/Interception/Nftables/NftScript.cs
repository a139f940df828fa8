using System.Text;
using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Nftables;

/// <summary>Writes rules as a script for nft: tables of family inet, one transaction.</summary>
internal static class NftScript
{
    private static readonly Table[] Tables = [Table.Nat, Table.Mangle, Table.Raw];

    /// <summary>Name of the table that stands for iptables' <paramref name="table"/>.</summary>
    public static string Name(Table table) => $"istio-proxy-{table.ToString().ToLowerInvariant()}";

    /// <summary>
    /// Removes all tables of our own, whatever settings made them. A table that is added first can be deleted whether
    /// or not it was there.
    /// </summary>
    public static string Remove()
    {
        var text = new StringBuilder();
        foreach (var table in Tables)
            text.Append($"add table inet {Name(table)}\ndelete table inet {Name(table)}\n");
        return text.ToString();
    }

    /// <summary>Replaces all tables of our own.</summary>
    public static string Replace(RuleSet rules)
    {
        var text = new StringBuilder(Remove());
        foreach (var table in Tables)
            AppendTable(text, table, [.. rules.In(table, Families.Both)]);
        return text.ToString();
    }

    private static void AppendTable(StringBuilder text, Table table, List<Rule> planned)
    {
        if (planned.Count == 0)
            return;
        var name = Name(table);
        var chains = RuleSet.ChainsOf(planned);
        text.Append($"add table inet {name}\n");
        foreach (var chain in chains)
            text.Append($"add chain inet {name} {ChainName(chain)}{Hook(table, chain)}\n");
        foreach (var chain in chains)
            foreach (var rule in RuleSet.Resolve(planned, chain))
                text.Append($"add rule inet {name} {ChainName(chain)} {Text(rule)}\n");
    }

    private static string ChainName(string chain) => chain.ToLowerInvariant().Replace('_', '-');

    // Priorities are those of iptables' tables (linux/netfilter_ipv4.h): raw -300, mangle -150, dstnat -100. nat uses
    // dstnat's for both hooks.
    private static string Hook(Table table, string chain)
    {
        if (Chains.IsOwn(chain))
            return "";
        var hook = ChainName(chain);
        return table switch
        {
            Table.Nat => $" {{ type nat hook {hook} priority -100 ; }}",
            Table.Mangle when chain == Chains.Output => $" {{ type route hook {hook} priority -150 ; }}",
            Table.Mangle => $" {{ type filter hook {hook} priority -150 ; }}",
            _ => $" {{ type filter hook {hook} priority -300 ; }}",
        };
    }

    private static string Text(Rule rule)
    {
        var words = rule.Matches.Select(Text).Append(Text(rule.Target, rule.Families));
        return string.Join(' ', words);
    }

    private static string Text(Match match) => match switch
    {
        Match.InInterface m => $"iifname \"{m.Name}\"",
        Match.OutInterface m => $"oifname \"{m.Name}\"",
        Match.Source m => $"{Family(m.Range)} saddr {m.Range}",
        Match.Destination m => $"{Family(m.Range)} daddr {Not(m.Not)}{m.Range}",
        Match.Protocol m => $"meta l4proto {Text(m.Transport)}",
        Match.SourcePort m => $"{Text(m.Transport)} sport {m.Port}",
        Match.DestinationPort { Ports.Length: 1 } m => $"{Text(m.Transport)} dport {Not(m.Not)}{m.Ports[0]}",
        Match.DestinationPort m => $"{Text(m.Transport)} dport {Not(m.Not)}{{ {string.Join(", ", m.Ports)} }}",
        Match.User m => $"meta skuid {Not(m.Not)}{m.Id}",
        Match.Group m => $"meta skgid {Not(m.Not)}{m.Id}",
        Match.PacketMark m => $"meta mark {Not(m.Not)}{m.Mark}",
        Match.ConnectionMark m => $"ct mark {m.Mark}",
        Match.State { States: ConnectionStates.Invalid } => "ct state invalid",
        Match.State => "ct state established,related",
        _ => throw new InvalidOperationException($"No nft expression for {match}."),
    };

    private static string Text(Target target, Families families) => target switch
    {
        Target.Jump t => $"counter jump {ChainName(t.Chain)}",
        Target.Return => "counter return",
        Target.Accept => "counter accept",
        Target.Drop => "counter drop",
        Target.Redirect t => $"counter redirect to :{t.Port}",
        Target.TransparentProxy t =>
            $"tproxy {(families == Families.IPv6 ? "ip6" : "ip")} to :{t.Port} meta mark set {t.Mark} counter accept",
        Target.SetMark t => $"counter meta mark set {t.Mark}",
        Target.SaveMark => "counter ct mark set meta mark",
        Target.RestoreMark => "counter meta mark set ct mark",
        Target.Zone t => $"counter ct zone set {t.Number}",
        _ => throw new InvalidOperationException($"No nft statement for {target}."),
    };

    private static string Family(AddressRange range) => range.IsIPv6 ? "ip6" : "ip";

    private static string Text(Transport transport) => transport == Transport.Tcp ? "tcp" : "udp";

    private static string Not(bool not) => not ? "!= " : "";
}
