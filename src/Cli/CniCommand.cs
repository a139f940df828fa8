using System.CommandLine;
using System.Runtime.InteropServices;
using MeshProxy.Interception;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Cni.Installation;
using MeshProxy.Interception.Cni.Repair;

namespace MeshProxy.Cli;

/// <summary>
/// `meshproxy cni`: the plugin itself, as runtimes call it (everything in the environment and on standard input), and
/// what keeps it on a node: `cni install` and `cni repair`.
/// </summary>
internal static class CniCommand
{
    public static int Run(string[] arguments)
    {
        if (arguments.Length == 0)
            return RunPlugin();
        var command = new Command("cni", "The CNI plugin; without a subcommand it is called by a runtime.");
        command.Subcommands.Add(Install());
        command.Subcommands.Add(Repair());
        return CommandLine.Invoke(command, arguments);
    }

    /// <summary>A runtime calls executables by the type of the plugin, without arguments.</summary>
    public static bool IsPluginCall(string[] arguments) =>
        arguments.Length == 0 && Environment.GetEnvironmentVariable("CNI_COMMAND") is { Length: > 0 };

    public static int RunPlugin() =>
        new CniPlugin(Environment.GetEnvironmentVariable, Console.In, Console.Out, Console.Error).Run();

    private static Command Install()
    {
        var absent = new InstallerSettings();
        var configurations =
            Text("--cni-conf-dir", "the node's directory of network configurations", absent.ConfigurationDirectory);
        var hostConfigurations =
            Text("--host-cni-conf-dir", "the same directory as the node sees it", absent.HostConfigurationDirectory);
        var binaries = Text("--cni-bin-dir", "the node's directory of plugins", absent.BinaryDirectory);
        var file = Text("--cni-conf-name", "configuration to add the plugin to (the first in order of names)", "");
        var excluded =
            Text("--exclude-namespaces", "namespaces whose pods are left "
                + "alone", string.Join(',', absent.ExcludedNamespaces));
        var ownNamespace = Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? "";
        var agent = Text("--agent-namespace", "namespace of this installer's own pods", ownNamespace);
        var initArguments =
            Text("--arguments", "without Kubernetes: arguments of `init`, separated by blanks", "");
        var nftables =
            new Option<bool>("--native-nftables") { Description = "let the plugin use nft instead of iptables" };
        var keep = new Option<bool>("--keep") { Description = "leave the plugin in place when this ends (upgrades)" };
        var once = new Option<bool>("--once") { Description = "install and end" };
        var check = new Option<bool>("--check") { Description = "only say, by the exit status, if it is installed" };
        var remove = new Option<bool>("--uninstall") { Description = "remove the plugin and end" };
        var command =
            new Command("install", "Installs the plugin on a node and keeps it installed until it is told to end.")
        {
            configurations, hostConfigurations, binaries, file, excluded, agent, initArguments, nftables, keep, once, check,
            remove,
        };
        command.SetAction(result =>
        {
            var settings = new InstallerSettings
            {
                ConfigurationDirectory = result.GetValue(configurations)!,
                HostConfigurationDirectory = result.GetValue(hostConfigurations)!,
                BinaryDirectory = result.GetValue(binaries)!,
                ConfigurationFile = result.GetValue(file)!,
                ExcludedNamespaces = Members(result.GetValue(excluded)!, ','),
                AgentNamespace = result.GetValue(agent)!,
                Arguments = Members(result.GetValue(initArguments)!, ' '),
                NativeNftables = result.GetValue(nftables),
                Keep = result.GetValue(keep),
                ApiHost = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") ?? "",
                ApiPort = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT") ?? absent.ApiPort,
            };
            var installer = new Installer(settings, Console.Error.WriteLine);
            return Guarded(() =>
            {
                if (result.GetValue(check))
                    return installer.IsInstalled() ? 0 : 1;
                if (result.GetValue(once))
                    return installer.Install() ? 0 : 1;
                if (result.GetValue(remove))
                    installer.Uninstall();
                else
                    UntilTold(stop => new InstallationWatch(installer, settings, Console.Error.WriteLine).Run(stop));
                return 0;
            });
        });
        return command;
    }

    private static Command Repair()
    {
        var absent = new RepairSettings();
        var mode =
            new Option<RepairMode>("--mode") { Description = "what to do with pods that started without interception" };
        var node = Text("--node-name", "name of this node", Environment.GetEnvironmentVariable("NODE_NAME") ?? "");
        var kubeconfig =
            Text("--kubeconfig", "API server, as `cni install` writes it", "/host/etc/cni/net.d/meshproxy-cni-kubeconfig");
        var namespaces =
            Text("--netns-dir", "where the node's runtime keeps network namespaces", absent.NamespaceDirectory);
        var nftables = new Option<bool>("--native-nftables") { Description = "use nft instead of iptables" };
        var command = new Command("repair", "Deals with pods that started before the plugin was there.")
        {
            mode, node, kubeconfig, namespaces, nftables,
        };
        command.SetAction(result =>
        {
            var settings = new RepairSettings
            {
                Mode = result.GetValue(mode),
                NodeName = result.GetValue(node)!,
                Kubeconfig = result.GetValue(kubeconfig)!,
                NamespaceDirectory = result.GetValue(namespaces)!,
                NativeNftables = result.GetValue(nftables),
            };
            if (settings.NodeName.Length > 0)
                return Guarded(() =>
                {
                    UntilTold(new RepairController(settings, Console.Error.WriteLine).Run);
                    return 0;
                });
            Console.Error.WriteLine("Error: the node's name is not known: give --node-name, or NODE_NAME in the "
                + "environment.");
            return 1;
        });
        return command;
    }

    private static Option<string> Text(string name, string help, string absent) =>
        new(name) { Description = help, DefaultValueFactory = _ => absent };

    private static string[] Members(string list, char separator) =>
        list.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static int Guarded(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (InterceptionException e)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return 1;
        }
    }

    // The signals by which Kubernetes, and a person at a terminal, ask a process to end.
    private static void UntilTold(Action<CancellationToken> work)
    {
        using var stop = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        work(stop.Token);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
