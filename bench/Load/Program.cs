using System.Globalization;
using MeshProxy.Bench.Load;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return Benchmark.Run(Options.Parse(args));
}
catch (BenchException refused)
{
    Console.Error.WriteLine($"bench: {refused.Message}");
    return 1;
}
