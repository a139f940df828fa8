using System.Text;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// Loads rules with iptables-restore, family by family; each table is one transaction. Equal rules are left as they
/// are; others are replaced only on request, and nothing passes the pod in the meantime.
/// </summary>
internal sealed class IptablesEngine(
    InterceptionSettings settings, PodNetwork network, ICommandRunner runner, Action<string> note) : IRuleEngine
{
    private static readonly string[] GuardedChains = [Chains.Input, Chains.Forward, Chains.Output];

    public string Show(RuleSet rules)
    {
        var text = new StringBuilder();
        foreach (var family in Enabled())
        {
            var restore = IptablesText.Restore(rules, family);
            if (restore.Length > 0)
                text.Append($"{PlainName(family)}-restore --noflush\n{restore}");
        }
        return text.ToString();
    }

    public string ShowRemoval(RuleSet rules)
    {
        var text = new StringBuilder();
        foreach (var family in Enabled())
            foreach (var table in Enum.GetValues<Table>())
                foreach (var line in Removal.TableLines(AsSaved(rules, family), table, family, rules))
                    text.Append($"{PlainName(family)} -t {IptablesText.Name(table)} {line}\n");
        return text.ToString();
    }

    public void Apply(RuleSet rules)
    {
        var tools = Tools();
        var states = tools.Select(tool => (Tool: tool, Saved: Save(tool))).ToList();
        var differing = new List<(IptablesTool Tool, SavedRules Saved, string Difference)>();
        foreach (var (tool, saved) in states)
            if (StateComparison.Difference(saved, rules, tool.Family) is { } difference)
                differing.Add((tool, saved, difference));
        if (differing.Count == 0 && !settings.ForceApply)
        {
            note("The rules are in force already; nothing was changed.");
            return;
        }
        if (settings.ForceApply && !settings.Reconcile)
        {
            foreach (var (tool, _) in states)
                Load(tool, IptablesText.Restore(rules, tool.Family));
            return;
        }
        if (differing.Find(d => d.Saved.HasOwnChains) is ({ } other, _, { } why) && !settings.Reconcile)
            throw new InterceptionException(
                $"Other interception rules are in force ({other.Name}: {why}): give --reconcile to replace them, or "
                + $"--cleanup-only to remove them.");
        var replaced = differing.Where(d => d.Saved.HasOwnChains).Select(d => d.Tool).ToList();
        Guarded(replaced, () =>
        {
            foreach (var (tool, saved, _) in differing)
                Replace(tool, saved, rules);
        });
    }

    public void Remove(RuleSet rules)
    {
        foreach (var tool in AllTools())
            if (Removal.Restore(Save(tool), tool.Family, Known(rules)) is { Length: > 0 } text)
                Load(tool, text);
    }

    public string Snapshot()
    {
        var text = new StringBuilder();
        foreach (var tool in Tools())
        {
            var saved = Save(tool);
            foreach (var table in Enum.GetValues<Table>())
                foreach (var chain in saved.ChainsOf(table))
                    foreach (var rule in saved.RulesOf(table, chain))
                        if (Chains.IsOwn(chain) || Chains.IsOwn(CanonicalRule.TargetOf(rule)))
                            text.Append($"{PlainName(tool.Family)} -t {IptablesText.Name(table)} -A {chain} {rule}\n");
        }
        return text.ToString();
    }

    private static string PlainName(Families family) => family == Families.IPv6 ? "ip6tables" : "iptables";

    private IEnumerable<Families> Enabled() => network.IPv6 ? [Families.IPv4, Families.IPv6] : [Families.IPv4];

    private List<IptablesTool> Tools() =>
        [.. Enabled().Select(family => IptablesDetector.Detect(runner, family, settings.ForcedIptables))];

    // IPv6 rules of a former run go too, if there is a tool for them.
    private List<IptablesTool> AllTools()
    {
        var tools = Tools();
        if (network.IPv6)
            return tools;
        try
        {
            tools.Add(IptablesDetector.Detect(runner, Families.IPv6, settings.ForcedIptables));
        }
        catch (InterceptionException)
        {
            note("IPv6 rules are not looked for: ip6tables cannot be used.");
        }
        return tools;
    }

    private SavedRules Save(IptablesTool tool)
    {
        var saved = tool.Save();
        return saved.Succeeded
            ? SavedRules.Parse(saved.Output)
            : throw new InterceptionException(
                $"{tool.Name}-save failed, so what is in force is unknown: {saved.Complaint}");
    }

    // One restore removes and adds, so that each table changes at once. What a refused later table leaves of earlier
    // ones is taken back.
    private void Replace(IptablesTool tool, SavedRules saved, RuleSet rules)
    {
        var text = new StringBuilder();
        foreach (var table in Enum.GetValues<Table>())
        {
            List<string> lines =
            [
                .. Removal.TableLines(saved, table, tool.Family, Known(rules)),
                .. IptablesText.TableLines(rules, table, tool.Family),
            ];
            if (lines.Count > 0)
                IptablesText.AppendTable(text, table, lines);
        }
        try
        {
            Load(tool, text.ToString());
        }
        catch (InterceptionException) when (!saved.HasOwnChains)
        {
            if (Removal.Restore(Save(tool), tool.Family, Known(rules)) is { Length: > 0 } undo)
                tool.Restore(undo);
            throw;
        }
    }

    private static void Load(IptablesTool tool, string text)
    {
        if (text.Length == 0)
            return;
        var result = tool.Restore(text);
        if (!result.Succeeded)
            throw new InterceptionException(
                $"{tool.RestoreCommand} refused the rules ({Meaning(result.Exit)}): {result.Complaint}");
    }

    // xtables.h: exit states of the programs.
    private static string Meaning(int exit) => exit switch
    {
        2 => "parameter problem",
        3 => "version problem",
        4 => "resource problem, try again",
        _ => $"exit status {exit}",
    };

    // While rules are replaced nothing leaves or enters: between two tables' transactions the pod would be half
    // captured.
    private static void Guarded(List<IptablesTool> tools, Action change)
    {
        var guards = new List<IptablesTool>();
        try
        {
            foreach (var tool in tools)
            {
                Load(tool, Guard(chain => $"-I {chain} 1"));
                guards.Add(tool);
            }
            change();
        }
        finally
        {
            foreach (var tool in guards)
                tool.Restore(Guard(chain => $"-D {chain}"));
        }
    }

    private static string Guard(Func<string, string> command)
    {
        var text = new StringBuilder();
        IptablesText.AppendTable(
            text, Table.Filter,
            from chain in GuardedChains
            from transport in new[] { "tcp", "udp" }
            select $"{command(chain)} -p {transport} -j DROP");
        return text.ToString();
    }

    // A former run may have been with or without TPROXY: its rules in built-in chains are ours as well.
    private RuleSet Known(RuleSet rules)
    {
        var other = settings with { TransparentInbound = !settings.TransparentInbound };
        return rules with { Rules = rules.Rules.AddRange(RulePlanner.Plan(other, network).Rules) };
    }

    private static SavedRules AsSaved(RuleSet rules, Families family)
    {
        var text = new StringBuilder();
        foreach (var table in Enum.GetValues<Table>())
            if (IptablesText.TableLines(rules, table, family) is { Count: > 0 } lines)
                IptablesText.AppendTable(
                    text, table,
                    RuleSet.ChainsOf(rules.In(table, family)).Select(chain => $":{chain} -").Concat(lines));
        return SavedRules.Parse(text.ToString());
    }
}
