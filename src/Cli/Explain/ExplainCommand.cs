using System.CommandLine;
using System.Net;
using MeshProxy.Cli.Dumps;
using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Explain;

/// <summary>`meshproxy explain TARGET`: what the proxy does with a connection or request, step by step, and why.</summary>
internal static class ExplainCommand
{
    private const string Help = "Says which listener, filter chain, route, cluster and endpoints take a request, by which policies, and why.";

    private static readonly Argument<string> Target = new("target")
    {
        Description = "A URL, or host:port for a connection.",
    };

    private static readonly Option<string> Method = new("--method", "-X") { Description = "Default GET." };
    private static readonly Option<string> PathOption = new("--path") { Description = "Path and query, when the target is host:port." };
    private static readonly Option<string> Host = new("--host") { Description = "Host header (authority); default: of the target." };
    private static readonly Option<string[]> Header = new("--header", "-H") { Description = "'name: value'; may be repeated." };
    private static readonly Option<bool> Http2 = new("--http2") { Description = "The client speaks HTTP/2." };
    private static readonly Option<string> Address = new("--address") { Description = "IP address of the target's host." };
    private static readonly Option<string> From = new("--from")
    {
        Description = "The client's identity (spiffe://…): it speaks mutual TLS, as a sidecar does.",
    };

    private static readonly Option<string> Source = new("--source") { Description = "The client's address, IP or IP:PORT." };
    private static readonly Option<bool> Tls = new("--tls") { Description = "The client speaks TLS (as https:// says too)." };
    private static readonly Option<string> Sni = new("--sni") { Description = "Server name in the client's TLS hello." };
    private static readonly Option<string> Alpn = new("--alpn") { Description = "ALPN protocols the client offers, separated by commas." };
    private static readonly Option<TrafficSide> Direction = new("--direction") { Description = "inbound or outbound; default: told from the address." };
    private static readonly Option<string> Listener = new("--listener") { Description = "Name of the listener, instead of finding it by address." };
    private static readonly Option<ulong> Random = new("--random") { Description = "The draw for shares and weights; default 0." };
    private static readonly Option<bool> Json = new("--json") { Description = "JSON instead of text." };
    private static readonly Option<bool> All = new("--all") { Description = "Everything that was rejected, also where it is much." };
    private static readonly Option<string> Admin = DumpSource.AdminOption();
    private static readonly Option<string[]> Files = DumpSource.FileOption();

    public static int Run(string[] arguments)
    {
        var command = new Command("explain", Help)
        {
            Target, Method, PathOption, Host, Header, Http2, Address, From, Source, Tls, Sni, Alpn, Direction, Listener, Random,
            Json, All, Admin, Files,
        };
        command.SetAction(static line => CommandLine.Guard(() => Explain(line)));
        return CommandLine.Invoke(command, arguments);
    }

    private static int Explain(ParseResult line)
    {
        var files = line.GetValue(Files) ?? [];
        var dump = DumpSource.Dump(line.GetValue(Admin)!, files);
        var target = TargetUrl.Parse(line.GetValue(Target)!);
        var warnings = new List<string>();
        var traffic = Traffic(line, dump, target, files.Length == 0, warnings);
        var explanation = Explainer.Explain(dump, traffic);
        if (traffic.Request is null && explanation.Steps.Any(static step => step.Chosen == "http_connection_manager"))
        {
            warnings.Add("The port speaks HTTP; the request is taken to be GET /. Give a URL, --method, --path or --header for another.");
            traffic = traffic with { Request = Request(line, target with { Path = "/" }) };
            explanation = Explainer.Explain(dump, traffic);
        }
        if (traffic.Request is null && explanation.Steps.Any(static step => step.Details.Any(
            static detail => detail.EndsWith("sees no HTTP", StringComparison.Ordinal))))
        {
            warnings.Add("The port's protocol is told from the first bytes; give a URL to explain an HTTP request.");
        }
        explanation = explanation with { Warnings = [.. warnings, .. explanation.Warnings] };
        if (line.GetValue(Json))
        {
            ExplanationJson.Write(Console.OpenStandardOutput(), explanation);
        }
        else
        {
            new ExplanationText(Console.Out, colour: !Console.IsOutputRedirected, line.GetValue(All)).Write(Title(target, traffic), explanation);
        }
        return 0;
    }

    private static TrafficFacts Traffic(
        ParseResult line, ConfigurationDump dump, TargetUrl target, bool live, List<string> warnings)
    {
        var tls = target.Tls || line.GetValue(Tls) || line.GetValue(From) is not null;
        var isHttp = target.IsUrl || Given(line);
        return new TrafficFacts
        {
            Side = SideOf(line),
            Listener = line.GetValue(Listener) ?? "",
            Destination = new IPEndPoint(Destination(line, dump, target, live, warnings), target.Port),
            Source = SourceOf(line, dump),
            Tls = tls,
            ServerName = line.GetValue(Sni) ?? (tls ? ServerName(line, target) : ""),
            ApplicationProtocols = line.GetValue(Alpn) is { } alpn ? alpn.Split(',', StringSplitOptions.TrimEntries)
                : tls ? Protocols(line, isHttp) : [],
            Principal = line.GetValue(From) ?? "",
            Request = isHttp ? Request(line, target) : null,
            Random = line.GetValue(Random),
        };
    }

    private static bool Given(ParseResult line) => line.GetValue(Method) is not null || line.GetValue(PathOption) is not null
        || line.GetValue(Host) is not null || line.GetValue(Header) is { Length: > 0 } || line.GetValue(Http2);

    private static IPAddress Destination(ParseResult line, ConfigurationDump dump, TargetUrl target, bool live, List<string> warnings)
    {
        if (line.GetValue(Address) is { } given)
        {
            return IPAddress.TryParse(given, out var address) ? address
                : throw new CommandException($"--address {given} is no IP address.");
        }
        if (SideOf(line) == TrafficSide.Inbound && !IPAddress.TryParse(target.Host, out _) && Own(dump) is { } pod)
        {
            return pod;
        }
        if (TargetAddress.Find(dump, target.Host, target.Port, live) is { } found)
        {
            return found;
        }
        warnings.Add($"The address of {target.Host} is not in the configuration; it is taken to be one without a listener of its own. Give --address.");
        return TargetAddress.Unknown;
    }

    private static IPEndPoint SourceOf(ParseResult line, ConfigurationDump dump)
    {
        if (line.GetValue(Source) is { } given)
        {
            return IPEndPoint.TryParse(given, out var address) ? new IPEndPoint(address.Address, address.Port == 0 ? 40000 : address.Port)
                : throw new CommandException($"--source {given} is no IP address, with or without a port.");
        }
        // The application itself, whose address the agent writes into the node's id; a stranger (TEST-NET-1) when it calls itself.
        return new IPEndPoint(SideOf(line) != TrafficSide.Inbound && Own(dump) is { } pod ? pod : IPAddress.Parse("192.0.2.1"), 40000);
    }

    // Who shows an identity of the mesh is another pod.
    private static TrafficSide SideOf(ParseResult line) =>
        line.GetValue(From) is not null && line.GetValue(Direction) == TrafficSide.Automatic ? TrafficSide.Inbound : line.GetValue(Direction);

    private static IPAddress? Own(ConfigurationDump dump) =>
        dump.Bootstrap?.Node?.Id.Split('~') is [_, var own, ..] && IPAddress.TryParse(own, out var pod) ? pod : null;

    // A sidecar names the cluster it calls; other clients name the host.
    private static string ServerName(ParseResult line, TargetUrl target) => line.GetValue(From) is not null
        ? $"outbound_.{target.Port}_._.{target.Host}" : target.Host;

    private static string[] Protocols(ParseResult line, bool isHttp) => (line.GetValue(From) is not null, isHttp, line.GetValue(Http2)) switch
    {
        (true, true, true) => ["istio-h2", "istio", "h2"],
        (true, true, false) => ["istio-http/1.1", "istio", "http/1.1"],
        (true, false, _) => ["istio-peer-exchange", "istio"],
        (false, _, _) => ["h2", "http/1.1"],
    };

    private static RequestFacts Request(ParseResult line, TargetUrl target)
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var header in line.GetValue(Header) ?? [])
        {
            var colon = header.IndexOf(':', 1);
            headers.Add(colon > 0 ? new(header[..colon].Trim(), header[(colon + 1)..].Trim())
                : throw new CommandException($"--header '{header}' has no colon; write 'name: value'."));
        }
        return new RequestFacts(line.GetValue(Method) ?? "GET", line.GetValue(Host) ?? target.Authority,
            line.GetValue(PathOption) ?? target.Path, line.GetValue(Http2), headers);
    }

    private static string Title(TargetUrl target, TrafficFacts traffic) => traffic.Request is { } request
        ? $"{request.Method} {(traffic.Tls ? "https" : "http")}://{request.Authority}{request.Path}"
        : $"connection to {target.Host}:{target.Port}";
}
