// ./mesh demo: `demo --executable PATH`. Ends with 0 when everything it claims was seen, otherwise with 1.
using System.Runtime.InteropServices;
using MeshProxy.Demo.Network;
using MeshProxy.Demo.Story;
using Spectre.Console;

if (args is not ["--executable", var executable])
{
    Console.Error.WriteLine("demo: --executable PATH is needed: run ./mesh demo, which builds the executable first");
    return 2;
}

using var cancellation = new CancellationTokenSource();
// The first Ctrl-C or SIGTERM lets the demo clean up after itself.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = !cancellation.IsCancellationRequested;
    cancellation.Cancel();
}

using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

try
{
    return await new DemoStory(AnsiConsole.Console, Path.GetFullPath(executable)).PlayAsync(cancellation.Token) ? 0 : 1;
}
catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
{
    Console.Error.WriteLine("demo: stopped, and cleaned up");
    return 130;
}
catch (CommandFailedException e)
{
    Console.Error.WriteLine("demo: " + e.Message);
    return 1;
}
