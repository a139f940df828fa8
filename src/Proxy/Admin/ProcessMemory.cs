using System.Globalization;

namespace MeshProxy.Proxy.Admin;

/// <summary>What memory the process has, as far as the runtime and the kernel tell.</summary>
internal static class ProcessMemory
{
    public static long Allocated => GC.GetTotalMemory(forceFullCollection: false);

    public static long HeapSize => GC.GetGCMemoryInfo().TotalCommittedBytes;

    /// <summary>Resident set, from /proc/self/statm (proc(5)); 0 where there is none.</summary>
    public static long Physical
    {
        get
        {
            try
            {
                var fields = File.ReadAllText("/proc/self/statm").Split(' ');
                return long.Parse(fields[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }
    }
}
