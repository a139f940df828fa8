using System.CommandLine;
using System.Text;
using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli;

/// <summary>`meshproxy failures`: what failed in a running proxy in the last minutes, a sentence each.</summary>
internal static class FailuresCommand
{
    private static readonly Option<string> Admin = DumpSource.AdminOption();

    private static readonly Option<int> Minutes = new("--minutes", "-m")
    {
        Description = "How far to look back.",
        DefaultValueFactory = static _ => 10,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "JSON instead of text." };

    public static int Run(string[] arguments)
    {
        var command = new Command("failures", "Explains the failures of the last minutes.") { Admin, Minutes, Json };
        command.SetAction(static line => CommandLine.Guard(() =>
        {
            var path = $"/failures?minutes={line.GetValue(Minutes)}{(line.GetValue(Json) ? "&format=json" : "")}";
            Console.Out.WriteLine(Encoding.UTF8.GetString(AdminClient.Get(line.GetValue(Admin)!, path)).TrimEnd('\n'));
            return 0;
        }));
        return CommandLine.Invoke(command, arguments);
    }
}
