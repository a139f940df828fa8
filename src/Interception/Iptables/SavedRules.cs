using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// Rules in force, as iptables-save prints them: for each table its chains with their rules, without the leading "-A
/// CHAIN". Tables that this project never writes to are left out.
/// </summary>
internal sealed class SavedRules
{
    private readonly Dictionary<Table, Dictionary<string, List<string>>> _tables = [];

    public static readonly SavedRules None = new();

    public static SavedRules Parse(string text)
    {
        var saved = new SavedRules();
        Dictionary<string, List<string>>? chains = null;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith('*'))
                chains =
                    Enum.TryParse<Table>(line.AsSpan(1).Trim(), true, out var table) ? saved._tables[table] = [] : null;
            else if (chains is not null && line.StartsWith(':'))
                Chain(chains, FirstWord(line.AsSpan(1)));
            else if (chains is not null && line.StartsWith("-A ", StringComparison.Ordinal))
            {
                var name = FirstWord(line.AsSpan(3));
                Chain(chains, name).Add(line[(3 + Length(line.AsSpan(3)))..].Trim());
            }
        }
        return saved;
    }

    public IEnumerable<string> ChainsOf(Table table) => _tables.TryGetValue(table, out var chains) ? chains.Keys : [];

    public IReadOnlyList<string> RulesOf(Table table, string chain) =>
        _tables.TryGetValue(table, out var chains) && chains.TryGetValue(chain, out var rules) ? rules : [];

    public IEnumerable<string> OwnChainsOf(Table table) => ChainsOf(table).Where(Chains.IsOwn);

    public bool HasOwnChains => _tables.Keys.Any(table => OwnChainsOf(table).Any());

    private static List<string> Chain(Dictionary<string, List<string>> chains, string name) =>
        chains.TryGetValue(name, out var rules) ? rules : chains[name] = [];

    // A chain's name may be quoted, and then hold blanks.
    private static int Length(ReadOnlySpan<char> text)
    {
        if (text.StartsWith("\""))
            return text[1..].IndexOf('"') + 2;
        var blank = text.IndexOf(' ');
        return blank < 0 ? text.Length : blank;
    }

    private static string FirstWord(ReadOnlySpan<char> text) => text[..Length(text)].Trim('"').ToString();
}
