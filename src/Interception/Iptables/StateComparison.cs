using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// Compares rules in force with planned ones, in one family. Chains of our own must hold exactly the planned rules in
/// their order; in built-in chains ours must be there, in order, and foreign ones are nobody's business.
/// </summary>
internal static class StateComparison
{
    /// <summary>A phrase for the first difference, or null if the state is the planned one.</summary>
    public static string? Difference(SavedRules saved, RuleSet rules, Families family)
    {
        foreach (var table in Enum.GetValues<Table>())
        {
            var planned = rules.In(table, family).ToList();
            var chains = RuleSet.ChainsOf(planned);
            foreach (var chain in saved.OwnChainsOf(table))
                if (!chains.Contains(chain))
                    return $"chain {chain} of table {IptablesText.Name(table)} is not one of these settings";
            foreach (var chain in chains)
            {
                var wanted = RuleSet.Resolve(planned, chain).Select(Canonical).ToList();
                var present = saved.RulesOf(table, chain).Select(CanonicalRule.Of).ToList();
                var same = Chains.IsOwn(chain)
                    ? saved.ChainsOf(table).Contains(chain) && wanted.SequenceEqual(present)
                    : InOrder(wanted, present) && OwnJumps(saved.RulesOf(table, chain)) == OwnJumps(wanted);
                if (!same)
                    return $"chain {chain} of table {IptablesText.Name(table)} differs";
            }
        }
        return null;
    }

    public static string Canonical(Rule rule) => CanonicalRule.Of(IptablesText.Arguments(rule));

    private static int OwnJumps(IEnumerable<string> rules) =>
        rules.Count(rule => Chains.IsOwn(CanonicalRule.TargetOf(rule)));

    private static bool InOrder(List<string> wanted, List<string> present)
    {
        var next = 0;
        foreach (var rule in present)
            if (next < wanted.Count && rule == wanted[next])
                next++;
        return next == wanted.Count;
    }
}
