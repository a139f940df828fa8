using System.CommandLine;
using MeshProxy.Interception;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Cli;

/// <summary>
/// `meshproxy init`, also as `istio-iptables`: redirects a pod's traffic to the proxy. Flags and environment are
/// istio-iptables'.
/// </summary>
internal static class InitCommand
{
    public static int Run(string[] arguments)
    {
        var command = new Command("init", "Redirects a pod's traffic to the proxy, or removes or checks that.");
        var options = Flags.All.ToDictionary(definition => definition.Name, Option);
        foreach (var option in options.Values)
            command.Options.Add(option);
        command.SetAction(result => Start(name => Value(result, options[name])));
        return CommandLine.Invoke(command, arguments);
    }

    private static int Start(Func<string, string?> flag)
    {
        try
        {
            var settings = new SettingsReader(flag, Environment.GetEnvironmentVariable).Read();
            return new Initializer(settings, Console.Out, Console.Error).Run();
        }
        catch (InterceptionException e)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return Initializer.Failure;
        }
    }

    private static Option<string> Option(FlagDefinition definition)
    {
        var option = new Option<string>($"--{definition.Name}")
        {
            Description = definition.Help,
            Arity = definition.Boolean ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        if (definition.Letter is { } letter)
            option.Aliases.Add($"-{letter}");
        if (definition.Alias is { } alias)
            option.Aliases.Add($"--{alias}");
        return option;
    }

    // A flag without a value is true; one that is not there leaves the decision to the environment.
    private static string? Value(ParseResult result, Option<string> option) =>
        result.GetResult(option) is { Implicit: false } found
            ? found.Tokens is [var token, ..] ? token.Value : "true"
            : null;
}
