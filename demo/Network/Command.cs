using System.Diagnostics;

namespace MeshProxy.Demo.Network;

/// <summary>Runs a command of the system to its end.</summary>
public static class Command
{
    /// <summary>Runs it and gives its standard output.</summary>
    /// <exception cref="CommandFailedException">It could not be started, or ended with a code other than 0.</exception>
    public static string Run(string command, params ReadOnlySpan<string> arguments)
    {
        var (code, output, error) = Try(command, arguments);
        return code == 0
            ? output
            : throw new CommandFailedException(
                $"`{command} {string.Join(' ', arguments!)}` ended with {code}: {(error + output).Trim()}");
    }

    /// <summary>Runs it; gives its exit code (127 when there is no such command) and what it said.</summary>
    public static (int Code, string Output, string Error) Try(string command, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(command, arguments.ToArray())
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (127, "", e.Message);
        }
    }
}
