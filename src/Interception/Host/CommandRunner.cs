using System.ComponentModel;
using System.Diagnostics;

namespace MeshProxy.Interception.Host;

/// <summary>
/// Starts processes. A child inherits the namespaces of the thread that starts it, so a thread that entered a pod's
/// network runs its programs there; <paramref name="prefix"/> is put before every command line (nsenter, for a pod in a
/// user namespace of its own).
/// </summary>
public sealed class CommandRunner(
    IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? prefix = null) : ICommandRunner
{
    // Where distributions keep administration tools; kubelets start plugins with a PATH that often lacks them.
    private const string AdministrationPath = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

    // As shells report a command that is not there (POSIX, 2.8.2).
    private const int NotFound = 127;

    public CommandResult Run(string program, IReadOnlyList<string> arguments, string input = "")
    {
        if (Find(program) is not { } file)
            return new CommandResult(NotFound, "", $"{program} is not installed", Missing: true);
        string[] words = [.. prefix ?? [], file, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            WriteInput(process, input);
            process.WaitForExit();
            return new CommandResult(process.ExitCode, output.Result, errors.Result);
        }
        catch (Win32Exception e)
        {
            return new CommandResult(NotFound, "", $"{program} cannot be started: {e.Message}", Missing: true);
        }
    }

    private static void WriteInput(Process process, string input)
    {
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading everything; its exit status says why.
        }
    }

    private static string? Find(string program)
    {
        var path = $"{Environment.GetEnvironmentVariable("PATH")}:{AdministrationPath}";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);
    }
}
