using System.CommandLine;
using MeshProxy.Agent;
using MeshProxy.Agent.Configuration;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Xds.Bootstrap;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Cli;

/// <summary>`meshproxy proxy sidecar|router`: pilot-agent and Envoy in one, as the injector starts them.</summary>
internal static class ProxyCommand
{
    private static readonly Argument<string> Role = new("role") { Description = "`sidecar` or `router`." };

    private static readonly Option<string> Domain = Text("--domain", "The DNS domain of the proxy.", "");
    private static readonly Option<string> LogLevel = Text("--proxyLogLevel", "The proxy's log level.", "warning");
    private static readonly Option<string> ComponentLogLevel =
        Text("--proxyComponentLogLevel", "Log levels of the proxy's parts, such as http:debug.", "misc:error");
    private static readonly Option<string> OutlierLog = Text("--outlierLogPath", "Where ejected hosts are logged.", "");

    // The agent logs what a person has to know, at one level: the flag is taken because every injected pod has it.
    private static readonly Option<string> AgentLogLevel = Text("--log_output_level", "Accepted for injected pods; the agent has one level.", "");

    public static int Run(string[] arguments)
    {
        Role.AcceptOnlyFromAmong("sidecar", "router");
        var command = new Command("proxy", "Runs the proxy with the duties of pilot-agent.")
        {
            Role, Domain, LogLevel, ComponentLogLevel, OutlierLog, AgentLogLevel,
        };
        command.SetAction(Start);
        return CommandLine.Invoke(command, arguments);
    }

    private static int Start(ParseResult line)
    {
        var options = new AgentOptions
        {
            Role = line.GetValue(Role)!,
            Domain = line.GetValue(Domain)!,
            ProxyLogLevel = line.GetValue(LogLevel)!,
            ProxyComponentLogLevel = line.GetValue(ComponentLogLevel)!,
            OutlierLogPath = line.GetValue(OutlierLog)!,
        };
        try
        {
            return new AgentService(options, AgentEnvironment.Current(), Console.Error.WriteLine).Run(MakeProxy);
        }
        catch (Exception refused) when (refused is AgentException or OptionsException or ConfigurationException
            or ProtobufException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Error: {refused.Message}");
            return 1;
        }
    }

    private static EmbeddedProxy MakeProxy(string[] arguments, string readinessListener)
    {
        var options = EnvoyOptions.Parse(arguments);
        var loggers = new Loggers(
            new LogSink(Console.Error, options.LogFormat), options.LogLevel, options.ComponentLogLevels);
        return new EmbeddedProxy(EnvoyCommand.MakeServer(options, loggers, readinessListener));
    }

    private static Option<string> Text(string name, string help, string absent) =>
        new(name) { Description = help, DefaultValueFactory = _ => absent };
}
