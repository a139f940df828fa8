namespace MeshProxy.Proxy.Server.Overload;

/// <summary>Measures how scarce one resource is.</summary>
internal interface IResourceMonitor
{
    /// <summary>0 is idle, 1 exhausted; null when it could not be measured.</summary>
    double? Pressure();
}

/// <summary>envoy.resource_monitors.fixed_heap: the process's managed memory in use against a fixed size.</summary>
internal sealed class FixedHeapMonitor(ulong maxBytes) : IResourceMonitor
{
    public double? Pressure() => (double)GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes / maxBytes;
}

/// <summary>envoy.resource_monitors.cgroup_memory: memory of the container against its limit.</summary>
/// <param name="maxBytes">0 takes the container's own limit.</param>
internal sealed class CgroupMemoryMonitor(ulong maxBytes) : IResourceMonitor
{
    // cgroup v2, then v1 (kernel documentation, admin-guide/cgroup-v2 and cgroup-v1/memory).
    private static readonly (string Usage, string Limit)[] Files =
    [
        ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.max"),
        ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ];

    public double? Pressure()
    {
        foreach (var (usage, limit) in Files)
        {
            if (Read(usage) is { } used)
            {
                var most = Math.Min(maxBytes == 0 ? ulong.MaxValue : maxBytes, Read(limit) ?? ulong.MaxValue);
                return most == ulong.MaxValue ? 0 : (double)used / most;
            }
        }
        return null;
    }

    private static ulong? Read(string path)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(path).AsSpan().Trim(), out var value) ? value : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>envoy.resource_monitors.injected_resource: a number in a file, for tests and operators.</summary>
internal sealed class InjectedResourceMonitor(string path) : IResourceMonitor
{
    public double? Pressure()
    {
        try
        {
            return double.TryParse(File.ReadAllText(path).AsSpan().Trim(), System.Globalization.NumberStyles.Float,
                System.Globalization.CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
                ? value
                : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
