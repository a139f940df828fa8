using System.Text;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Nftables;

/// <summary>
/// Loads rules with nft: all tables of our own are replaced in one transaction, so the same settings always give the
/// same rules.
/// </summary>
internal sealed class NftEngine(ICommandRunner runner, bool hostBinaries) : IRuleEngine
{
    private const string Command = "nft -f -";

    public string Show(RuleSet rules) => $"{Command}\n{NftScript.Replace(rules)}";

    public string ShowRemoval(RuleSet rules) => $"{Command}\n{NftScript.Remove()}";

    public void Apply(RuleSet rules) => Load(NftScript.Replace(rules));

    public void Remove(RuleSet rules) => Load(NftScript.Remove());

    public string Snapshot()
    {
        var tables = runner.Run("nft", ["list", "tables"]);
        if (tables.Missing)
            throw Missing();
        if (!tables.Succeeded)
            throw new InterceptionException(
                $"nft cannot list tables, so what is in force is unknown: {tables.Complaint}");
        var present = tables.Output.Split('\n');
        var text = new StringBuilder();
        foreach (var table in Enum.GetValues<Table>())
            // -s leaves counters out.
            if (present.Contains($"table inet {NftScript.Name(table)}"))
                text.Append(runner.Run("nft", ["-s", "list", "table", "inet", NftScript.Name(table)]).Output);
        return text.ToString();
    }

    private void Load(string script)
    {
        var result = runner.Run("nft", ["-f", "-"], script);
        if (result.Missing)
            throw Missing();
        if (!result.Succeeded)
            throw new InterceptionException($"nft refused the rules: {result.Complaint}");
    }

    private InterceptionException Missing() => new(
        $"nft is not installed on {(hostBinaries ? "the node" : "this image")}, and --native-nftables needs it (1.0.1 "
        + $"or later).");
}
