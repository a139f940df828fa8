using MeshProxy.Cli.Diff;
using MeshProxy.Cli.Explain;

namespace MeshProxy.Cli;

/// <summary>Subcommands by their first word. Anything else is a command line of Envoy's.</summary>
internal static class Commands
{
    // One line a command.
    private static readonly Dictionary<string, Func<string[], int>> Table = new()
    {
        ["init"] = InitCommand.Run,
        ["istio-iptables"] = InitCommand.Run,
        ["cni"] = CniCommand.Run,
        ["inject"] = InjectCommand.Run,
        ["webhook"] = WebhookCommand.Run,
        ["control-plane"] = ControlPlaneCommand.Run,
        ["proxy"] = ProxyCommand.Run,
        ["wait"] = WaitCommand.Run,
        ["request"] = RequestCommand.Run,
        ["config"] = ConfigCommand.Run,
        ["listeners"] = ConfigCommand.RunListeners,
        ["clusters"] = ConfigCommand.RunClusters,
        ["routes"] = ConfigCommand.RunRoutes,
        ["endpoints"] = ConfigCommand.RunEndpoints,
        ["certs"] = ConfigCommand.RunCertificates,
        ["diff"] = DiffCommand.Run,
        ["explain"] = ExplainCommand.Run,
        ["failures"] = FailuresCommand.Run,
    };

    public static int Run(string[] arguments)
    {
        if (CniCommand.IsPluginCall(arguments))
            return CniCommand.RunPlugin();
        if (arguments is [var first, ..] && Table.TryGetValue(first, out var command))
            return command(arguments[1..]);
        if (arguments is [] || arguments[0].StartsWith('-'))
            return EnvoyCommand.Run(arguments);
        Console.Error.WriteLine($"Error: there is no command {arguments[0]}; there are: {string.Join(", ", Table.Keys)}.");
        return 1;
    }
}
