using System.Diagnostics;

namespace MeshProxy.Cli.Tests;

/// <summary>Runs the executable: the one named by MESHPROXY_EXECUTABLE (the native one), else the one built beside the tests.</summary>
internal static class Meshproxy
{
    public sealed record Result(int Exit, string Output, string Error);

    public static string Executable { get; } =
        Environment.GetEnvironmentVariable("MESHPROXY_EXECUTABLE") ?? Path.Combine(AppContext.BaseDirectory, "meshproxy");

    public static Result Run(IEnumerable<string> arguments, string directory)
    {
        using var process = Start(arguments, directory);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    public static Process Start(IEnumerable<string> arguments, string directory)
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
