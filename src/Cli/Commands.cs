using MeshProxy.Cli.Diff;
using MeshProxy.Cli.Explain;

namespace MeshProxy.Cli;

/// <summary>Subcommands by their first word. Anything else is a command line of Envoy's.</summary>
internal static class Commands
{
    // One line a command, in the order of `meshproxy help`.
    private static readonly (string Name, string Help, Func<string[], int> Run)[] Table =
    [
        ("proxy", "runs as a pod's sidecar or gateway, as pilot-agent does", ProxyCommand.Run),
        ("validate", "checks a bootstrap: validate -c FILE", static arguments => EnvoyCommand.Run(["--mode", "validate", .. arguments])),
        ("control-plane", "serves a folder of resources over xDS, and certificates", ControlPlaneCommand.Run),
        ("inject", "puts the proxy into the workloads of a manifest", InjectCommand.Run),
        ("webhook", "does the same in a cluster", WebhookCommand.Run),
        ("init", "redirects a pod's traffic to the proxy", InitCommand.Run),
        ("istio-iptables", "the same under Istio's name", InitCommand.Run),
        ("cni", "redirects as a chained CNI plugin; installs and repairs it", CniCommand.Run),
        ("wait", "waits until the proxy of this pod is ready", WaitCommand.Run),
        ("request", "asks the proxy or the agent of this pod", RequestCommand.Run),
        ("explain", "says what becomes of a request, step by step, and why", ExplainCommand.Run),
        ("failures", "explains the failures of the last minutes", FailuresCommand.Run),
        ("diff", "compares two configurations", DiffCommand.Run),
        ("config", "shows the configuration, as istioctl proxy-config does", ConfigCommand.Run),
        ("listeners", "config listeners", ConfigCommand.RunListeners),
        ("clusters", "config clusters", ConfigCommand.RunClusters),
        ("routes", "config routes", ConfigCommand.RunRoutes),
        ("endpoints", "config endpoints", ConfigCommand.RunEndpoints),
        ("certs", "config secret: certificates and when they expire", ConfigCommand.RunCertificates),
    ];

    public static int Run(string[] arguments)
    {
        if (CniCommand.IsPluginCall(arguments))
            return CniCommand.RunPlugin();
        if (arguments is [] || arguments[0].StartsWith('-'))
            return EnvoyCommand.Run(arguments);
        if (arguments[0] == "help")
            return Help();
        foreach (var command in Table)
        {
            if (command.Name == arguments[0])
                return command.Run(arguments[1..]);
        }
        Console.Error.WriteLine($"Error: there is no command {arguments[0]}; `meshproxy help` lists them.");
        return 1;
    }

    private static int Help()
    {
        Console.Out.WriteLine("meshproxy -c BOOTSTRAP …    runs the proxy with Envoy's own flags; --help lists them");
        foreach (var (name, help, _) in Table)
        {
            Console.Out.WriteLine($"meshproxy {name,-18}{help}");
        }
        Console.Out.WriteLine("`meshproxy COMMAND --help` says more.");
        return 0;
    }
}
