using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace MeshProxy.Demo.Network;

/// <summary>
/// A network namespace. A socket made in one stays in it whichever thread uses it later, so that clients and servers of
/// several namespaces can live in this one process.
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private NetworkNamespace(string name) => Name = name;

    /// <summary>Its name, as `ip netns` knows it.</summary>
    public string Name { get; }

    /// <summary>Makes one, with its loopback interface up.</summary>
    public static NetworkNamespace Create(string name)
    {
        Command.Run("ip", "netns", "add", name);
        var made = new NetworkNamespace(name);
        try
        {
            Command.Run("ip", "-n", name, "link", "set", "lo", "up");
        }
        catch
        {
            made.Dispose();
            throw;
        }

        return made;
    }

    /// <summary>Removes one that an earlier process left behind.</summary>
    public static void Remove(string name) => new NetworkNamespace(name).Dispose();

    /// <summary>The names of all there are.</summary>
    public static IEnumerable<string> Names()
    {
        var (code, output, _) = Command.Try("ip", "netns", "list");
        return code != 0 ? [] : output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]);
    }

    /// <summary>The command line that runs a command inside.</summary>
    public string[] Inside(params ReadOnlySpan<string> command) => ["ip", "netns", "exec", Name, .. command];

    /// <summary>Makes a socket inside.</summary>
    public Socket Socket(SocketType type = SocketType.Stream, ProtocolType protocol = ProtocolType.Tcp)
    {
        Socket? socket = null;
        ExceptionDispatchInfo? failure = null;
        // The namespace belongs to a thread, and a thread of the pool must not be left in another one: this one ends.
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                socket = new Socket(AddressFamily.InterNetwork, type, protocol);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return socket!;
    }

    /// <summary>Removes it, with all that is configured in it.</summary>
    public void Dispose() => Command.Try("ip", "netns", "del", Name);

    private void Enter()
    {
        var descriptor = Open($"/run/netns/{Name}", ReadOnlyCloseOnExec);
        if (descriptor < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"namespace {Name} is gone");
        try
        {
            if (SetNamespace(descriptor, CloneNewNetwork) != 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot enter namespace {Name}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    // fcntl.h and sched.h of Linux.
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int CloneNewNetwork = 0x40000000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
