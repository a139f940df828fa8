using System.CommandLine;
using System.Text;
using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy config unsupported`: asks a running proxy what of its configuration it accepted without building it.</summary>
internal static class UnsupportedView
{
    private static readonly Option<string> Admin = DumpSource.AdminOption();

    public static Command Create()
    {
        var command = new Command("unsupported", "Lists configuration that was accepted though this proxy does not build it.") { Admin };
        command.SetAction(static line => CommandLine.Guard(() =>
        {
            Console.Out.Write(Encoding.UTF8.GetString(AdminClient.Get(line.GetValue(Admin)!, "/unsupported")));
            return 0;
        }));
        return command;
    }
}
