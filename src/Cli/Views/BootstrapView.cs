using System.CommandLine;
using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy config bootstrap` and `meshproxy config all`: whole, as JSON or YAML.</summary>
internal static class BootstrapView
{
    private static readonly ViewOptions Options = new();

    public static Command Create()
    {
        var command = new Command("bootstrap", "Prints the bootstrap.");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Options.PrintOne(line,
            Options.Dump(line).Bootstrap?.Message ?? throw new CommandException("the dump has no bootstrap."))));
        return command;
    }

    public static Command CreateAll()
    {
        var command = new Command("all", "Prints the whole configuration.");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Options.PrintOne(line, Options.Message(line).Message)));
        return command;
    }

    public static Command CreateExtensions()
    {
        var command = new Command("ecds", "Lists filters that came by extension discovery.");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() =>
        {
            var extensions = Options.Dump(line).Extensions;
            return Options.Print(line, extensions.Select(static one => one.Resource.Message), output =>
            {
                var table = new TextTable("ECDS NAME", "TYPE");
                foreach (var extension in extensions)
                {
                    table.Add(extension.Resource.Name, extension.Resource.TypedConfig?.TypeName ?? "");
                }
                table.Write(output);
            });
        }));
        return command;
    }
}
