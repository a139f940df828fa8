using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MeshProxy.Cli;

/// <summary>
/// Limits of the garbage collector that the native runtime reads from the environment alone: the process sets them and starts
/// itself again, once, before it has done anything. The process id stays.
/// </summary>
internal static unsafe partial class MemorySettings
{
    /// <summary>
    /// Bytes of the youngest generation, in the bare hexadecimal the runtime expects: 1 MiB. Left alone it takes its size from
    /// the CPU's cache and holds 10 to 20 MB more under load; measured CPU per request is the same.
    /// </summary>
    private const string Generation0Size = "100000";

    /// <summary>Bytes of a heap region: 1 MiB instead of 4, of which every generation holds at least one.</summary>
    private const string RegionSize = "100000";

    private const string Generation0Variable = "DOTNET_GCgen0size";

    /// <summary>Without it the budget grows far above the size given, as little survives.</summary>
    private const string Generation0MaximumVariable = "DOTNET_GCgen0MaxBudget";

    private const string RegionVariable = "DOTNET_GCRegionSize";

    /// <summary>Does not return when it starts the process again; a failure leaves the defaults.</summary>
    public static void Apply(string[] arguments)
    {
        if (RuntimeFeature.IsDynamicCodeSupported || Environment.GetEnvironmentVariable(Generation0Variable) is not null)
        {
            return;
        }
        Environment.SetEnvironmentVariable(Generation0Variable, Generation0Size);
        Environment.SetEnvironmentVariable(Generation0MaximumVariable, Generation0Size);
        Environment.SetEnvironmentVariable(RegionVariable, RegionSize);
        var environment = new List<string>();
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{entry.Key}={entry.Value}");
        }
        Execute("/proc/self/exe", Pointers([Environment.GetCommandLineArgs()[0], .. arguments]), Pointers(environment));
    }

    // Never freed: execve either replaces the process or the few bytes are lost once.
    private static nint* Pointers(IReadOnlyList<string> texts)
    {
        var pointers = (nint*)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(nint));
        for (var i = 0; i < texts.Count; i++)
        {
            pointers[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        }
        return pointers;
    }

    [LibraryImport("libc", EntryPoint = "execve", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, nint* arguments, nint* environment);
}
