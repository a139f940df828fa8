using System.Text.Json;
using BenchmarkDotNet.Reports;

namespace MeshProxy.Bench.Micro;

/// <summary>The bytes each benchmark may allocate an operation, as committed; more fails the check.</summary>
internal static class Expectations
{
    private const string File = "expectations.json";

    /// <summary>Prints every benchmark that allocates more than expected, or is not in the file.</summary>
    /// <returns>Whether all keep to it.</returns>
    public static bool Check(IEnumerable<Summary> summaries)
    {
        var expected = JsonSerializer.Deserialize<Dictionary<string, long>>(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, File)))!;
        var kept = true;
        foreach (var (name, bytes) in summaries.SelectMany(static summary => summary.Reports).Select(Measured))
        {
            if (bytes is null) kept = Refuse($"{name} did not run");
            else if (!expected.TryGetValue(name, out var allowed)) kept = Refuse($"{name} allocates {bytes} bytes and is not in bench/Micro/{File}: add it");
            else if (bytes > allowed) kept = Refuse($"{name} allocates {bytes} bytes, {allowed} are expected: allocate less, or raise bench/Micro/{File} and say why");
            else Console.WriteLine($"{name}: {bytes} bytes, {allowed} expected");
        }
        return kept;
    }

    private static (string Name, long? Bytes) Measured(BenchmarkReport report)
    {
        var descriptor = report.BenchmarkCase.Descriptor;
        var bytes = report.Success ? report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) : null;
        return ($"{descriptor.Type.Name}.{descriptor.WorkloadMethod.Name}", bytes);
    }

    private static bool Refuse(string why)
    {
        Console.Error.WriteLine(why);
        return false;
    }
}
