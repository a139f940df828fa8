using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MeshProxy.Demo.Network;

/// <summary>A process of ours that goes on running, with the last lines it said.</summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    // Enough to see why something did not start, without holding the access log of a long run.
    private const int LinesKept = 40;

    // MESHPROXY_DEMO_OUTPUT=DIR keeps all that each process says, for finding out why something went wrong.
    private static readonly string OutputFolder = Environment.GetEnvironmentVariable("MESHPROXY_DEMO_OUTPUT") ?? "";

    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly string _name;

    private ChildProcess(string name, Process process)
    {
        _name = name;
        _process = process;
    }

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Starts a command.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="command">The command and its arguments.</param>
    public static ChildProcess Start(string name, IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var child = new ChildProcess(name, new Process { StartInfo = start });
        child._process.OutputDataReceived += child.Keep;
        child._process.ErrorDataReceived += child.Keep;
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits until <paramref name="ready"/> holds.</summary>
    /// <exception cref="CommandFailedException">The process ended, or the time is over.</exception>
    public async Task WaitUntilAsync(Func<Task<bool>> ready, TimeSpan limit, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        while (!await ready())
        {
            if (!IsRunning) throw new CommandFailedException($"{_name} ended with {_process.ExitCode}: {Said()}");
            if (clock.Elapsed > limit)
                throw new CommandFailedException($"{_name} was not ready after {limit.TotalSeconds:0} s: {Said()}");
            await Task.Delay(PollInterval, cancellation);
        }
    }

    /// <summary>Asks it to end (SIGTERM).</summary>
    public void Terminate() => _ = Kill(_process.Id, SignalTerminate);

    /// <summary>Ends it at once (SIGKILL): it closes nothing, the kernel resets its connections.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    /// <summary>Waits for its end and gives its exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return _process.ExitCode;
    }

    /// <summary>The last lines it said.</summary>
    public string Said()
    {
        lock (_lines) return _lines.Count == 0 ? "it said nothing" : string.Join('\n', _lines);
    }

    /// <summary>Ends it, at once if it does not end by itself within two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            Terminate();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Kill();
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
    }

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private const int SignalTerminate = 15;

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_lines)
        {
            if (_lines.Count == LinesKept) _lines.Dequeue();
            _lines.Enqueue(line.Data);
            if (OutputFolder.Length > 0)
                File.AppendAllText(Path.Combine(OutputFolder, _name.Replace(' ', '-') + ".log"), line.Data + Environment.NewLine);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
