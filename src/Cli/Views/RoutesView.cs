using System.CommandLine;
using Envoy.Config.Route.V3;
using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy routes`: as `istioctl proxy-config routes`, a row a route.</summary>
internal static class RoutesView
{
    // As many as istioctl names before it counts.
    private const int DomainsShown = 2;

    private static readonly Option<string> Name = new("--name") { Description = "Name of the route table." };
    private static readonly Option<string> Fqdn = new("--fqdn") { Description = "A domain of the virtual host." };
    private static readonly Option<string> Port = new("--port") { Description = "Port in the name of the table or virtual host." };
    private static readonly ViewOptions Options = new();

    public static Command Create()
    {
        var command = new Command("routes", "Lists routes.") { Name, Fqdn, Port };
        command.Aliases.Add("route");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Show(line)));
        return command;
    }

    /// <summary>`/reviews*`, `/exact`, `regex ~…`: the path of a match as istioctl writes it.</summary>
    public static string MatchOf(RouteMatch? match) => match is not { } given ? ""
        : given.PathSpecifierCase switch
        {
            RouteMatch.PathSpecifierOneofCase.Prefix => $"{given.Prefix}*",
            RouteMatch.PathSpecifierOneofCase.Path => given.Path,
            RouteMatch.PathSpecifierOneofCase.PathSeparatedPrefix => $"PathPrefix:{given.PathSeparatedPrefix}",
            RouteMatch.PathSpecifierOneofCase.SafeRegex => $"regex {given.SafeRegex!.Value.Regex}",
            RouteMatch.PathSpecifierOneofCase.PathMatchPolicy => "path template",
            RouteMatch.PathSpecifierOneofCase.ConnectMatcherValue => "CONNECT",
            _ => "",
        };

    private static int Show(ParseResult line)
    {
        var tables = Options.Dump(line).Routes
            .Select(static entry => entry.Resource)
            .Where(table => (line.GetValue(Name) is not { } name || table.Name == name)
                && (line.GetValue(Port) is not { } port || table.Name == port || table.Name.EndsWith($":{port}", StringComparison.Ordinal)
                    || table.Name.Contains($"|{port}|", StringComparison.Ordinal)))
            .OrderBy(static table => int.TryParse(table.Name, out var port) ? port : 0)
            .ThenBy(static table => table.Name, StringComparer.Ordinal)
            .ToList();
        return Options.Print(line, tables.Select(static table => table.Message), output =>
        {
            var text = new TextTable("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE");
            foreach (var table in tables)
            {
                AddRows(text, table, line.GetValue(Fqdn));
            }
            text.Write(output);
        });
    }

    private static void AddRows(TextTable text, RouteConfiguration table, string? domain)
    {
        foreach (var host in table.VirtualHosts)
        {
            if (domain is not null && !host.Domains.Contains(domain))
            {
                continue;
            }
            if (host.Routes.Count == 0)
            {
                text.Add(table.Name, host.Name, DomainsOf(host), "/*", "404");
            }
            foreach (var route in host.Routes)
            {
                text.Add(table.Name, host.Name, DomainsOf(host), Conditions(route.Match), VirtualServiceOf(route));
            }
        }
    }

    private static string DomainsOf(VirtualHost host)
    {
        var domains = host.Domains.ToList();
        return domains.Count <= DomainsShown ? string.Join(", ", domains)
            : $"{string.Join(", ", domains.Take(DomainsShown))} + {domains.Count - DomainsShown} more...";
    }

    private static string Conditions(RouteMatch? match)
    {
        var also = (match?.Headers ?? default).Select(static header => header.Name)
            .Concat((match?.QueryParameters ?? default).Select(static parameter => $"?{parameter.Name}")).ToList();
        return also.Count == 0 ? MatchOf(match) : $"{MatchOf(match)} ({string.Join(", ", also)})";
    }

    private static string VirtualServiceOf(Route route) => IstioConfig.NameOf(route.Metadata) is { Length: > 0 } name ? name
        : route.DirectResponse is { } direct ? direct.Status.ToString() : "";
}
