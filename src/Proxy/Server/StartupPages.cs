using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Server;

/// <summary>
/// Lets go of the pages of code and constants that only starting needed. They are clean copies of the executable's file: the
/// kernel maps the few that traffic needs again, without reading the disk, when they are next touched.
/// </summary>
internal static unsafe partial class StartupPages
{
    // ELF (elf.h): a segment that is loaded, and its writable flag.
    private const uint Load = 1;
    private const uint Writable = 2;

    // MADV_DONTNEED, madvise(2).
    private const int DontNeed = 4;

    /// <summary>
    /// Start touches 9 MB of 14 MB of code and constants, as every fault maps 64 KiB around it; requests need a third of that.
    /// Does nothing in a build that is compiled while it runs.
    /// </summary>
    public static void Release() => IterateProgramHeaders(&ReleaseObject, 0);

    // The executable comes first, its libraries after it. Segments that may be written hold relocated pages, which exist nowhere
    // else: those stay. So does all of CoreCLR, which patches its own code: it is there when this method is not in the executable.
    [UnmanagedCallersOnly]
    private static int ReleaseObject(ProgramHeaders* loaded, nuint size, nint data)
    {
        var own = (nuint)(delegate* unmanaged<ProgramHeaders*, nuint, nint, int>)&ReleaseObject;
        var isExecutable = loaded->Name == null || *loaded->Name == 0;
        if (isExecutable && !Contains(loaded, own))
        {
            return 1;
        }
        var page = (nuint)Environment.SystemPageSize;
        for (var i = 0; i < loaded->Count; i++)
        {
            ref readonly var segment = ref loaded->First[i];
            if (segment.Type == Load && (segment.Flags & Writable) == 0)
            {
                var start = loaded->Base + segment.Address;
                var first = start & ~(page - 1);
                // Failure leaves the pages where they are.
                Advise(first, start + segment.MemorySize - first, DontNeed);
            }
        }
        return 0;
    }

    private static bool Contains(ProgramHeaders* loaded, nuint address)
    {
        for (var i = 0; i < loaded->Count; i++)
        {
            ref readonly var segment = ref loaded->First[i];
            if (segment.Type == Load && address - (loaded->Base + segment.Address) < segment.MemorySize)
            {
                return true;
            }
        }
        return false;
    }

    [LibraryImport("libc", EntryPoint = "dl_iterate_phdr")]
    private static partial int IterateProgramHeaders(delegate* unmanaged<ProgramHeaders*, nuint, nint, int> callback, nint data);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nuint start, nuint length, int advice);

    /// <summary>struct dl_phdr_info, as far as it is read.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ProgramHeaders
    {
        public nuint Base;
        public byte* Name;
        public Segment* First;
        public ushort Count;
    }

    /// <summary>Elf64_Phdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Segment
    {
        public uint Type;
        public uint Flags;
        public ulong Offset;
        public nuint Address;
        public nuint PhysicalAddress;
        public nuint FileSize;
        public nuint MemorySize;
        public nuint Alignment;
    }
}
