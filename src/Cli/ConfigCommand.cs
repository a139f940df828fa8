using System.CommandLine;
using MeshProxy.Cli.Views;

namespace MeshProxy.Cli;

/// <summary>`meshproxy config WHAT`, with the words of `istioctl proxy-config`; the lists also as commands of their own.</summary>
internal static class ConfigCommand
{
    public static int Run(string[] arguments)
    {
        var command = new Command("config", "Shows the configuration of a running proxy, or in a dump.")
        {
            BootstrapView.CreateAll(), BootstrapView.Create(), ListenersView.Create(), ClustersView.Create(), RoutesView.Create(),
            EndpointsView.Create(), CertificatesView.Create("secret"), BootstrapView.CreateExtensions(), LogView.Create(),
            UnsupportedView.Create(),
        };
        return CommandLine.Invoke(command, arguments);
    }

    public static int RunListeners(string[] arguments) => CommandLine.Invoke(ListenersView.Create(), arguments);

    public static int RunClusters(string[] arguments) => CommandLine.Invoke(ClustersView.Create(), arguments);

    public static int RunRoutes(string[] arguments) => CommandLine.Invoke(RoutesView.Create(), arguments);

    public static int RunEndpoints(string[] arguments) => CommandLine.Invoke(EndpointsView.Create(), arguments);

    public static int RunCertificates(string[] arguments) => CommandLine.Invoke(CertificatesView.Create("certs"), arguments);
}
