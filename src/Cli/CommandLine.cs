using System.CommandLine;
using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli;

/// <summary>
/// Parses and runs a subcommand; what cannot be parsed is one line on standard error and exit status 1.
/// </summary>
internal static class CommandLine
{
    // "@file" is no file of arguments: values that begin so are values.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs a command's work; what it cannot do is one line on standard error and exit status 1.</summary>
    public static int Guard(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (CommandException refused)
        {
            Console.Error.WriteLine($"Error: {refused.Message}");
            return 1;
        }
    }

    public static int Invoke(Command command, string[] arguments)
    {
        var result = new RootCommand { command }.Parse([command.Name, .. arguments], Parser);
        if (result.Errors is not [var error, ..])
            return result.Invoke();
        Console.Error.WriteLine($"Error: {error.Message.ReplaceLineEndings(" ").Trim()}");
        return 1;
    }
}
