using System.Runtime.InteropServices;

namespace MeshProxy.Bench.Load;

internal static partial class Native
{
    private const int SigTerm = 15;

    public static void Terminate(int pid) => _ = Kill(pid, SigTerm);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
