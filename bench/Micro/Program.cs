using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MeshProxy.Bench.Micro;

var check = args.Contains("--check");
// In this process: a project generated and built for each benchmark would take minutes.
var job = (check ? Job.ShortRun : Job.MediumRun).WithToolchain(InProcessEmitToolchain.Instance);
var config = DefaultConfig.Instance.AddJob(job).AddDiagnoser(MemoryDiagnoser.Default);
var switcher = BenchmarkSwitcher.FromAssembly(typeof(HeadParsing).Assembly);
string[] arguments = [.. args.Where(static argument => argument is not ("--check" or "--micro"))];
var summaries = switcher.Run(arguments.Length > 0 ? arguments : ["--filter", "*"], config);
return check && !Expectations.Check(summaries) ? 1 : 0;
