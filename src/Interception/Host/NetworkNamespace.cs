using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MeshProxy.Interception.Host;

/// <summary>
/// Runs code inside another network namespace, on a thread that is made for it and ends with it: namespaces belong to
/// threads, and one that returned to the pool in a pod's network would take other work there.
/// </summary>
public static partial class NetworkNamespace
{
    // linux/sched.h
    private const int CloneNewNamespace = 0x00020000;
    private const int CloneNewNetwork = 0x40000000;
    // linux/mount.h
    private const ulong MountBind = 0x1000;
    private const ulong MountRecursive = 0x4000;
    private const ulong MountSlave = 0x80000;
    // linux/nsfs.h: NS_GET_USERNS, the user namespace that owns a namespace.
    private const nuint GetUserNamespace = 0xb701;

    /// <summary>
    /// Runs <paramref name="work"/> in the namespace at <paramref name="path"/> and returns its result.
    /// </summary>
    /// <param name="hostFiles">
    /// The file system stays the node's: look-ups of names are kept from the network (it is the pod's, and not working
    /// yet), and legacy iptables gets a lock of this namespace instead of the node's.
    /// </param>
    /// <exception cref="InterceptionException">The namespace cannot be entered.</exception>
    public static T Run<T>(string path, bool hostFiles, Func<ICommandRunner, T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = Enter(path, hostFiles, work);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        {
            Name = "pod network",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static T Enter<T>(string path, bool hostFiles, Func<ICommandRunner, T> work)
    {
        using var handle = Open(path);
        if (SetNamespace(handle, CloneNewNetwork) != 0)
            throw Refused(path, "setns", Marshal.GetLastPInvokeError());
        if (!hostFiles)
            return work(new CommandRunner(prefix: UserNamespacePrefix(handle)));
        HideNameServices();
        var environment = new Dictionary<string, string> { ["XTABLES_LOCKFILE"] = path };
        return work(new CommandRunner(environment, UserNamespacePrefix(handle)));
    }

    private static SafeFileHandle Open(string path)
    {
        try
        {
            return File.OpenHandle(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InterceptionException($"The network namespace {path} cannot be opened: {FailureReason.Of(e)}");
        }
    }

    // The owner match is refused (EINVAL) to a writer outside the user namespace that owns the network: programs have
    // to enter it.
    private static string[] UserNamespacePrefix(SafeFileHandle handle)
    {
        var descriptor = Control(handle, GetUserNamespace);
        if (descriptor < 0)
            return [];
        using var owner = new SafeFileHandle(descriptor, ownsHandle: true);
        var inode = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;
        if (inode is null || inode == new FileInfo("/proc/self/ns/user").LinkTarget)
            return [];
        return ["nsenter", $"--user={FindOwner(inode)}", "--"];
    }

    // The descriptor itself is not inherited by children, but a process of that user namespace has it under /proc.
    private static string FindOwner(string inode)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var path = $"{process}/ns/user";
            try
            {
                if (new FileInfo(path).LinkTarget == inode)
                    return path;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A process that has ended in the meantime, or none at all (/proc/sys, …).
            }
        }
        throw new InterceptionException(
            $"The pod's network belongs to user namespace {inode}, and no process of it is left: rules cannot be "
            + $"loaded from outside it.");
    }

    // Best effort: some hosts forbid mounting, and then look-ups work as they did before.
    private static void HideNameServices()
    {
        const string file = "/etc/nsswitch.conf";
        if (!File.Exists(file) || Unshare(CloneNewNamespace) != 0)
            return;
        if (Mount("none", "/", null, MountRecursive | MountSlave, 0) == 0)
            _ = Mount("/dev/null", file, null, MountBind, 0);
    }

    private static InterceptionException Refused(string path, string call, int error) => new(
        $"The network namespace {path} cannot be entered ({call}: {Marshal.GetPInvokeErrorMessage(error)}): this "
        + $"needs root and CAP_SYS_ADMIN.");

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int kinds);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string? type, ulong flags, nint data);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle descriptor, nuint request);
}
