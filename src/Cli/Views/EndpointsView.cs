using System.CommandLine;
using Envoy.Admin.V3;
using Envoy.Config.Core.V3;
using MeshProxy.Cli.Dumps;
using MeshProxy.Proxy.Explanation;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy endpoints`: as `istioctl proxy-config endpoints`. A running proxy also tells what outlier detection ejected.</summary>
internal static class EndpointsView
{
    private static readonly Option<string> AddressOption = new("--address") { Description = "Address of the endpoint." };
    private static readonly Option<string> Port = new("--port") { Description = "Port of the endpoint." };
    private static readonly Option<string> ClusterOption = new("--cluster") { Description = "Name of the cluster." };
    private static readonly Option<string> Fqdn = new("--fqdn") { Description = "Host of the service." };
    private static readonly Option<string> Direction = new("--direction") { Description = "inbound or outbound." };
    private static readonly Option<string> Subset = new("--subset") { Description = "Subset of the destination rule." };
    private static readonly Option<string> Status = new("--status") { Description = "healthy, degraded or unhealthy." };
    private static readonly ViewOptions Options = new();

    private sealed record Row(string Endpoint, string Port, string Status, string Outlier, string Cluster);

    public static Command Create()
    {
        var command = new Command("endpoints", "Lists endpoints and their health.")
        {
            AddressOption, Port, ClusterOption, Fqdn, Direction, Subset, Status,
        };
        command.Aliases.Add("endpoint");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Show(line)));
        return command;
    }

    private static int Show(ParseResult line)
    {
        IReadOnlyList<Row> rows;
        IEnumerable<Message> whole;
        if (Options.IsLive(line))
        {
            var clusters = MessageJson.Parse<Clusters>(AdminClient.Get(Options.Admin(line), "/clusters?format=json"), JsonReadOptions.Lenient);
            rows = [.. clusters.ClusterStatuses.SelectMany(RowsOf)];
            whole = clusters.ClusterStatuses.Where(one => FitsCluster(line, one.Name)).Select(static one => one.Message);
        }
        else
        {
            var dump = Options.Dump(line);
            if (!dump.HasEndpoints)
            {
                throw new CommandException("the dump has no endpoints; take it with /config_dump?include_eds.");
            }
            rows = [.. dump.Clusters.SelectMany(cluster => RowsOf(dump, cluster.Resource))];
            whole = dump.Endpoints.Where(one => FitsCluster(line, one.Resource.ClusterName)).Select(static one => one.Resource.Message);
        }
        var shown = rows.Where(row => Fits(line, row)).OrderBy(static row => row.Endpoint, StringComparer.Ordinal)
            .ThenBy(static row => row.Cluster, StringComparer.Ordinal);
        return Options.Print(line, whole, output =>
        {
            var table = new TextTable("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER");
            foreach (var row in shown)
            {
                table.Add(row.Endpoint, row.Status, row.Outlier, row.Cluster);
            }
            table.Write(output);
        });
    }

    private static bool FitsCluster(ParseResult line, string name) =>
        (line.GetValue(ClusterOption) is not { } wanted || wanted == name)
        && ClusterName.Parse(name).Fits(line.GetValue(Fqdn), null, line.GetValue(Direction), line.GetValue(Subset));

    private static bool Fits(ParseResult line, Row row) => FitsCluster(line, row.Cluster)
        && (line.GetValue(AddressOption) is not { } address || row.Endpoint.StartsWith(address, StringComparison.Ordinal))
        && (line.GetValue(Port) is not { } port || row.Port == port)
        && (line.GetValue(Status) is not { } status || row.Status.Equals(status, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<Row> RowsOf(ClusterStatus cluster)
    {
        foreach (var host in cluster.HostStatuses)
        {
            var health = host.HealthStatus;
            var failed = health is { } given && (given.FailedActiveHealthCheck || given.FailedOutlierCheck
                || given.EdsHealthStatus is HealthStatus.Unhealthy or HealthStatus.Draining or HealthStatus.Timeout);
            var status = failed ? "UNHEALTHY" : health?.EdsHealthStatus == HealthStatus.Degraded ? "DEGRADED" : "HEALTHY";
            yield return Of(host.Address, status, health?.FailedOutlierCheck == true ? "FAILED" : "OK", cluster.Name);
        }
    }

    private static IEnumerable<Row> RowsOf(ConfigurationDump dump, Envoy.Config.Cluster.V3.Cluster cluster)
    {
        var service = cluster.EdsClusterConfigValue?.ServiceName is { Length: > 0 } named ? named : cluster.Name;
        var assignment = dump.Endpoints.FirstOrDefault(entry => entry.Resource.ClusterName == service);
        foreach (var member in assignment?.Resource.Endpoints.SelectMany(static group => group.LbEndpoints) ?? [])
        {
            var status = member.HealthStatus is HealthStatus.Healthy or HealthStatus.Unknown ? "HEALTHY"
                : member.HealthStatus == HealthStatus.Degraded ? "DEGRADED" : "UNHEALTHY";
            yield return Of(member.Endpoint?.Address, status, "-", cluster.Name);
        }
    }

    private static Row Of(Address? address, string status, string outlier, string cluster) => address?.SocketAddress is { } socket
        ? new Row($"{socket.Address}:{socket.PortValue}", $"{socket.PortValue}", status, outlier, cluster)
        : new Row(address?.Pipe is { } pipe ? $"unix://{pipe.Path}"
            : address?.EnvoyInternalAddress is { } inner ? $"envoy://{inner.ServerListenerName}/{inner.EndpointId}" : "", "", status, outlier, cluster);
}
