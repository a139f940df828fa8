using System.Diagnostics;
using System.Text;

namespace MeshProxy.Bench.Load;

/// <summary>A program that is started, spoken to over loopback, and ended; what it prints is kept in a file.</summary>
internal sealed class Command : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly StreamWriter _log;

    private Command(Process process, string logPath)
    {
        _process = process;
        LogPath = logPath;
        _log = new StreamWriter(logPath);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string LogPath { get; }

    public bool HasExited => _process.HasExited;

    public static Command Start(string file, IEnumerable<string> arguments, string logPath)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return new Command(Process.Start(start) ?? throw new BenchException($"{file} did not start"), logPath);
    }

    /// <summary>Runs a program to its end and returns what it printed.</summary>
    public static string Run(string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new BenchException($"{file} did not start");
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new BenchException($"{file} failed: {errors.ToString().Trim()} {output}");
    }

    /// <summary>The last line that the program printed: why it ended, when it did.</summary>
    public string LastLine()
    {
        lock (_log) _log.Flush();
        return File.ReadLines(LogPath).LastOrDefault(static line => line.Length > 0) ?? "it printed nothing";
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Native.Terminate(_process.Id);
            if (!_process.WaitForExit(Grace)) _process.Kill(entireProcessTree: true);
        }
        _process.WaitForExit();
        _process.Dispose();
        lock (_log) _log.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_log) _log.WriteLine(line);
    }
}
