using System.CommandLine;
using System.Text;
using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy config log`: shows or sets levels of loggers, as `istioctl proxy-config log`.</summary>
internal static class LogView
{
    private static readonly Option<string> Admin = DumpSource.AdminOption();

    private static readonly Option<string[]> Level = new("--level")
    {
        Description = "`debug` for all loggers, or `http:debug,rbac:trace`.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static Command Create()
    {
        var command = new Command("log", "Shows or sets the levels of loggers.") { Admin, Level };
        command.SetAction(static line => CommandLine.Guard(() =>
        {
            Console.Out.Write(Encoding.UTF8.GetString(AdminClient.Post(line.GetValue(Admin)!, $"/logging{Query(line.GetValue(Level))}")));
            return 0;
        }));
        return command;
    }

    private static string Query(string[]? levels)
    {
        var wanted = (levels ?? []).SelectMany(static text => text.Split(',')).ToList();
        return wanted switch
        {
            [] => "",
            [var all] when !all.Contains(':') => $"?level={Uri.EscapeDataString(all)}",
            _ when wanted.All(static one => one.Contains(':')) => $"?paths={Uri.EscapeDataString(string.Join(",", wanted))}",
            _ => throw new CommandException("--level is one level for all, or logger:level pairs."),
        };
    }
}
