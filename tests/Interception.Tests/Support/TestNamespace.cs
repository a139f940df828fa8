using MeshProxy.Interception.Host;
using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A network namespace of a test's own; it ends with the test.</summary>
public sealed class TestNamespace : IDisposable
{
    private static int _count;

    private readonly CommandRunner _host = new();

    public TestNamespace()
    {
        Name = $"mpx-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";
        Made = _host.Run("ip", ["netns", "add", Name]).Succeeded;
        if (Made)
            Ip("link set lo up");
    }

    public string Name { get; }

    public bool Made { get; }

    public string Path => $"/var/run/netns/{Name}";

    /// <summary>Runs code on a thread that is in this namespace.</summary>
    public T Run<T>(Func<T> work) => NetworkNamespace.Run(Path, hostFiles: false, _ => work());

    public void Run(Action work) => Run(() =>
    {
        work();
        return true;
    });

    public T Run<T>(Func<ICommandRunner, T> work) => NetworkNamespace.Run(Path, hostFiles: false, work);

    public string Execute(string program, params string[] arguments)
    {
        var result = _host.Run("ip", ["netns", "exec", Name, program, .. arguments]);
        Assert.True(result.Succeeded, $"{program} {string.Join(' ', arguments)}: {result.Errors}");
        return result.Output;
    }

    public void Ip(string arguments) => Execute("ip", arguments.Split(' '));

    public void Dispose() => _host.Run("ip", ["netns", "delete", Name]);
}
