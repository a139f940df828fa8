using System.CommandLine;
using MeshProxy.Cli.Dumps;
using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Diff;

/// <summary>`meshproxy diff A B`: what two configurations differ in, resource by resource, field by field.</summary>
internal static class DiffCommand
{
    // As `diff` has it: 1 is "they differ", so trouble is another number.
    private const int Differ = 1;
    private const int Trouble = 2;

    private static readonly Argument<string> Left = new("a") { Description = "A config_dump, or ADDRESS:PORT of an admin interface." };

    private static readonly Argument<string> Right = new("b")
    {
        Description = "The other one.",
        DefaultValueFactory = static _ => AdminClient.DefaultAddress,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "JSON instead of text." };

    public static int Run(string[] arguments)
    {
        var command = new Command("diff", "Compares two configurations; exits with 1 when they differ, 2 when it cannot compare.") { Left, Right, Json };
        command.SetAction(static line => Compare(line));
        return CommandLine.Invoke(command, arguments);
    }

    private static int Compare(ParseResult line)
    {
        try
        {
            var differences = DumpDifferences.Between(Load(line.GetValue(Left)!), Load(line.GetValue(Right)!));
            if (line.GetValue(Json))
            {
                DifferenceOutput.WriteJson(Console.OpenStandardOutput(), differences);
            }
            else
            {
                DifferenceOutput.WriteText(Console.Out, differences);
            }
            return differences.Count == 0 ? 0 : Differ;
        }
        catch (CommandException refused)
        {
            Console.Error.WriteLine($"Error: {refused.Message}");
            return Trouble;
        }
    }

    private static ConfigurationDump Load(string place) => ConfigurationDump.Of(DumpSource.LoadEither(place));
}
