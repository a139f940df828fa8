namespace MeshProxy.Bench.Load;

/// <summary>Everything that was asked for, in order, into one report.</summary>
internal static class Benchmark
{
    public static int Run(Options options)
    {
        if (options.ShowHelp) Console.WriteLine(Options.Help);
        if (options.List) foreach (var scenario in Scenario.All) Console.WriteLine($"{scenario.Name,-16}{scenario.Title}");
        if (options.ShowHelp || options.List) return 0;
        CheckNames(options);
        var workshop = new Workshop(options, Directory.GetCurrentDirectory());
        using var report = new Report(Path.Combine(workshop.Root, "results.md"));
        Introduce(options, workshop, report);
        foreach (var scenario in Scenario.All.Where(scenario => options.Wants(scenario.Name)))
            new ScenarioRun(options, workshop, report).Run(scenario);
        if (options.Wants("ready")) new ReadyRun(options, workshop, report).Run();
        if (options.Wants("memory")) new MemoryRun(options, workshop, report).Run();
        if (options.Wants("clusters")) new ClusterRun(workshop, report).Run();
        report.Line($"\nConfigurations as they were run, and this report: {workshop.Root}");
        return 0;
    }

    private static void CheckNames(Options options)
    {
        string[] known = [.. Scenario.All.Select(static scenario => scenario.Name), "ready", "memory", "clusters"];
        foreach (var name in options.Only)
            if (!known.Contains(name)) throw new BenchException($"there is no scenario {name}: {string.Join(", ", known)}");
    }

    private static void Introduce(Options options, Workshop workshop, Report report)
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal));
        report.Line($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {model?.Split(':')[1].Trim() ?? "unknown CPU"}, {Environment.ProcessorCount} CPUs, "
            + $"load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]}, peers {string.Join(", ", workshop.Peers)}");
        report.Line($"{options.Rounds} rounds of {options.Seconds} s, {options.Connections} connections, 1,024 bytes an answer; medians [least–greatest]");
    }
}
