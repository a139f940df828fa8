using System.Text;
using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>Writes rules as iptables' arguments and as input of iptables-restore.</summary>
internal static class IptablesText
{
    /// <summary>
    /// Input of `iptables-restore --noflush` that makes the chains and fills them; empty when the family has no rules.
    /// A chain that exists already makes its table fail, so nothing is ever added twice.
    /// </summary>
    public static string Restore(RuleSet rules, Families family)
    {
        var text = new StringBuilder();
        foreach (var table in Enum.GetValues<Table>())
        {
            var lines = TableLines(rules, table, family);
            if (lines.Count > 0)
                AppendTable(text, table, lines);
        }
        return text.ToString();
    }

    public static void AppendTable(StringBuilder text, Table table, IEnumerable<string> lines)
    {
        text.Append('*').Append(Name(table)).Append('\n');
        foreach (var line in lines)
            text.Append(line).Append('\n');
        text.Append("COMMIT\n");
    }

    public static List<string> TableLines(RuleSet rules, Table table, Families family)
    {
        var planned = rules.In(table, family).ToList();
        var chains = RuleSet.ChainsOf(planned);
        var lines = chains.Where(Chains.IsOwn).Select(chain => $"-N {chain}").ToList();
        foreach (var chain in chains)
        {
            if (Chains.IsOwn(chain))
                lines.AddRange(RuleSet.Resolve(planned, chain).Select(rule => $"-A {chain} {Arguments(rule)}"));
            else
                lines.AddRange(planned.Where(rule => rule.Chain == chain).Select(AddToBuiltIn));
        }
        return lines;
    }

    public static string Name(Table table) => table.ToString().ToLowerInvariant();

    /// <summary>Matches and target of a rule.</summary>
    public static string Arguments(Rule rule)
    {
        var words = rule.Matches.Select(Text).Append(Text(rule.Target));
        return string.Join(' ', words);
    }

    // Foreign rules may be in a built-in chain, so an insertion stays one.
    private static string AddToBuiltIn(Rule rule) => rule.Position is { } position
        ? $"-I {rule.Chain} {position} {Arguments(rule)}"
        : $"-A {rule.Chain} {Arguments(rule)}";

    private static string Text(Match match) => match switch
    {
        Match.InInterface m => $"-i {m.Name}",
        Match.OutInterface m => $"-o {m.Name}",
        Match.Source m => $"-s {m.Range}",
        Match.Destination m => $"{Not(m.Not)}-d {m.Range}",
        Match.Protocol m => $"-p {Text(m.Transport)}",
        Match.SourcePort m => $"-p {Text(m.Transport)} --sport {m.Port}",
        Match.DestinationPort { Ports.Length: 1 } m => $"-p {Text(m.Transport)} {Not(m.Not)}--dport {m.Ports[0]}",
        Match.DestinationPort m =>
            $"-p {Text(m.Transport)} -m multiport {Not(m.Not)}--dports {string.Join(',', m.Ports)}",
        Match.User m => $"-m owner {Not(m.Not)}--uid-owner {m.Id}",
        Match.Group m => $"-m owner {Not(m.Not)}--gid-owner {m.Id}",
        Match.PacketMark m => $"-m mark {Not(m.Not)}--mark {m.Mark}",
        Match.ConnectionMark m => $"-m connmark --mark {m.Mark}",
        Match.State { States: ConnectionStates.Invalid } => "-m conntrack --ctstate INVALID",
        Match.State => "-m conntrack --ctstate RELATED,ESTABLISHED",
        _ => throw new InvalidOperationException($"No iptables match for {match}."),
    };

    private static string Text(Target target) => target switch
    {
        Target.Jump t => $"-j {t.Chain}",
        Target.Return => "-j RETURN",
        Target.Accept => "-j ACCEPT",
        Target.Drop => "-j DROP",
        Target.Redirect t => $"-j REDIRECT --to-ports {t.Port}",
        Target.TransparentProxy t => $"-j TPROXY --tproxy-mark {t.Mark}/0xffffffff --on-port {t.Port}",
        Target.SetMark t => $"-j MARK --set-mark {t.Mark}",
        Target.SaveMark => "-j CONNMARK --save-mark",
        Target.RestoreMark => "-j CONNMARK --restore-mark",
        Target.Zone t => $"-j CT --zone {t.Number}",
        _ => throw new InvalidOperationException($"No iptables target for {target}."),
    };

    private static string Text(Transport transport) => transport == Transport.Tcp ? "tcp" : "udp";

    private static string Not(bool not) => not ? "! " : "";
}
