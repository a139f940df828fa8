using MeshProxy.Interception.Host;

namespace MeshProxy.Interception.Tests.Support;

internal static class Requirements
{
    /// <summary>Why tests in network namespaces cannot run here, or null.</summary>
    public static string? Missing { get; } = Find();

    private static string? Find()
    {
        if (Environment.UserName != "root")
            return "needs root, to make network namespaces";
        var runner = new CommandRunner();
        foreach (var program in new[] { "ip", "nft", "iptables-nft", "ip6tables-nft", "iptables-legacy" })
            if (runner.Run(program, ["--version"]).Missing && runner.Run(program, ["-V"]).Missing)
                return $"needs {program}";
        using var probe = new TestNamespace();
        return probe.Made ? null : "needs CAP_SYS_ADMIN, to make network namespaces";
    }
}
