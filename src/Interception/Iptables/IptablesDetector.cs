using MeshProxy.Interception.Host;
using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// Finds out which iptables the host uses. Legacy and nft rules live in different places of the kernel and both take
/// effect, so ours have to go where the others are: legacy if there are legacy rules already, else nft, else what is
/// called just iptables.
/// </summary>
internal static class IptablesDetector
{
    /// <exception cref="InterceptionException">No usable iptables.</exception>
    public static IptablesTool Detect(ICommandRunner runner, Families family, string forced)
    {
        var name = family == Families.IPv6 ? "ip6tables" : "iptables";
        if (forced.Length > 0)
            return Usable(runner, family, $"{name}-{forced}")
                ?? throw Unusable($"{name}-{forced}", "it was asked for by name");
        // Looked at before anything is probed: listing a legacy table makes the kernel set it up.
        if (HasRules(runner.Run($"{name}-legacy-save", [])) && Usable(runner, family, $"{name}-legacy") is { } legacy)
            return legacy;
        return Usable(runner, family, $"{name}-nft")
            ?? Usable(runner, family, name)
            ?? throw Unusable(name, "neither the nft nor the default variant works");
    }

    // A table that is set up but empty decides nothing: rules do, and chains of somebody.
    private static bool HasRules(CommandResult saved) =>
        saved.Succeeded && saved.Output.Split('\n').Any(IsRuleOrChain);

    private static bool IsRuleOrChain(string line) =>
        line.StartsWith("-A ", StringComparison.Ordinal) || (line.StartsWith(':') && line.Contains(" - "));

    private static IptablesTool? Usable(ICommandRunner runner, Families family, string name)
    {
        var version = runner.Run($"{name}-save", ["--version"]);
        // Before 1.6.2 the save programs knew no --version; all of those were legacy.
        var old = version.Errors.Contains("unrecognized option", StringComparison.Ordinal);
        if (version.Missing || (!version.Succeeded && !old))
            return null;
        var tool =
            new IptablesTool(family, name, !version.Output.Contains("nf_tables", StringComparison.Ordinal), runner);
        // Listing the nat table fails without the privilege, and where the kernel lacks what the variant needs.
        return tool.Save().Succeeded && runner.Run(name, ["-t", "nat", "-S"]).Succeeded ? tool : null;
    }

    private static InterceptionException Unusable(string name, string why) => new(
        $"{name} cannot be used ({why}): install it, and run with the capabilities NET_ADMIN and NET_RAW.");
}
