using System.Text;
using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// Removes what is ours from the rules in force, whatever settings made it: chains of our own, jumps to them, and the
/// few rules that go straight into built-in chains. Foreign rules stay.
/// </summary>
internal static class Removal
{
    /// <summary>Lines that remove what is ours from a table; none if there is nothing.</summary>
    /// <param name="planned">Rules whose copies in built-in chains are taken for ours.</param>
    public static List<string> TableLines(SavedRules saved, Table table, Families family, RuleSet planned)
    {
        var ours = planned.In(table, family)
            .Where(rule => !Chains.IsOwn(rule.Chain))
            .Select(rule => (rule.Chain, StateComparison.Canonical(rule)))
            .ToHashSet();
        var lines = new List<string>();
        foreach (var chain in saved.ChainsOf(table).Where(chain => !Chains.IsOwn(chain)))
            foreach (var rule in saved.RulesOf(table, chain))
                if (Chains.IsOwn(CanonicalRule.TargetOf(rule)) || ours.Contains((chain, CanonicalRule.Of(rule))))
                    lines.Add($"-D {chain} {rule}");
        // Chains can jump to each other: all are emptied before the first is removed.
        lines.AddRange(saved.OwnChainsOf(table).Select(chain => $"-F {chain}"));
        lines.AddRange(saved.OwnChainsOf(table).Select(chain => $"-X {chain}"));
        return lines;
    }

    public static string Restore(SavedRules saved, Families family, RuleSet planned)
    {
        var text = new StringBuilder();
        foreach (var table in Enum.GetValues<Table>())
        {
            var lines = TableLines(saved, table, family, planned);
            if (lines.Count > 0)
                IptablesText.AppendTable(text, table, lines);
        }
        return text.ToString();
    }
}
