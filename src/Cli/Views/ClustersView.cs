using System.CommandLine;
using MeshProxy.Proxy.Explanation;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy clusters`: as `istioctl proxy-config clusters`.</summary>
internal static class ClustersView
{
    private static readonly Option<string> Fqdn = new("--fqdn") { Description = "Host of the service." };
    private static readonly Option<string> Port = new("--port") { Description = "Port of the service." };
    private static readonly Option<string> Direction = new("--direction") { Description = "inbound or outbound." };
    private static readonly Option<string> Subset = new("--subset") { Description = "Subset of the destination rule." };
    private static readonly ViewOptions Options = new();

    public static Command Create()
    {
        var command = new Command("clusters", "Lists clusters.") { Fqdn, Port, Direction, Subset };
        command.Aliases.Add("cluster");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Show(line)));
        return command;
    }

    private static int Show(ParseResult line)
    {
        var dump = Options.Dump(line);
        var rows = dump.Clusters
            .Select(static entry => (Entry: entry, Name: ClusterName.Parse(entry.Resource.Name)))
            .Where(row => row.Name.Fits(line.GetValue(Fqdn), line.GetValue(Port), line.GetValue(Direction), line.GetValue(Subset)))
            .OrderBy(static row => row.Name.Host, StringComparer.Ordinal)
            .ThenBy(static row => int.TryParse(row.Name.Port, out var port) ? port : 0)
            .ThenBy(static row => row.Name.Subset, StringComparer.Ordinal)
            .ThenBy(static row => row.Name.Direction, StringComparer.Ordinal)
            .ToList();
        return Options.Print(line, rows.Select(static row => row.Entry.Resource.Message), output =>
        {
            var table = new TextTable("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE");
            foreach (var (entry, name) in rows)
            {
                table.Add(name.Host, Dash(name.Port), Dash(name.Subset), Dash(name.Direction), TypeOf(entry.Resource),
                    IstioConfig.NameOf(entry.Resource.Metadata) + (entry.State == DumpState.Warming ? " (warming)" : ""));
            }
            table.Write(output);
        });
    }

    private static string Dash(string text) => text.Length == 0 ? "-" : text;

    private static string TypeOf(Cluster cluster) =>
        cluster.ClusterType is { } custom ? custom.Name : EnumTexts.Of(cluster.Message, "type");
}
