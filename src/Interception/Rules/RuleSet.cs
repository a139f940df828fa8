using System.Collections.Immutable;

namespace MeshProxy.Interception.Rules;

/// <summary>Rules in the order in which they were planned, for the families that are enabled.</summary>
public sealed record RuleSet(Families Enabled, ImmutableArray<Rule> Rules)
{
    public static readonly RuleSet Empty = new(Families.None, []);

    /// <summary>The rules of one table that are for any of <paramref name="families"/>.</summary>
    public IEnumerable<Rule> In(Table table, Families families) =>
        Rules.Where(r => r.Table == table && (r.Families & families) != 0);

    /// <summary>The chain as it stands when every insertion has been made, foreign rules aside.</summary>
    public static List<Rule> Resolve(IEnumerable<Rule> planned, string chain)
    {
        var resolved = new List<Rule>();
        foreach (var rule in planned)
        {
            if (rule.Chain != chain)
                continue;
            resolved.Insert(Math.Min(rule.Position - 1 ?? resolved.Count, resolved.Count), rule);
        }
        return resolved;
    }

    /// <summary>Chains that rules are in or jump to, in order of first mention.</summary>
    public static List<string> ChainsOf(IEnumerable<Rule> planned)
    {
        var chains = new List<string>();
        foreach (var rule in planned)
        {
            Add(rule.Chain);
            if (rule.Target is Target.Jump jump)
                Add(jump.Chain);
        }
        return chains;

        void Add(string chain)
        {
            if (!chains.Contains(chain))
                chains.Add(chain);
        }
    }
}
