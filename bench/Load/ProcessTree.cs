using System.Globalization;

namespace MeshProxy.Bench.Load;

/// <summary>What the kernel says of a process and its descendants, in /proc (proc(5)).</summary>
internal static class ProcessTree
{
    // USER_HZ, the unit of utime and stime: 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>CPU time in seconds of the living processes, user and system.</summary>
    public static double CpuSeconds(int pid)
    {
        double ticks = 0;
        foreach (var id in Members(pid))
        {
            var fields = Stat(id);
            // Fields 14 to 17 of stat: utime, stime, and those of children that ended (a proxy that started itself again).
            if (fields.Length > 14) ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
        }
        return ticks / TicksPerSecond;
    }

    /// <summary>Resident memory in kB, summed over the processes: Rss counts pages they share in each, Pss once.</summary>
    public static (long Rss, long Pss) Memory(int pid)
    {
        long rss = 0, pss = 0;
        foreach (var id in Members(pid))
        {
            foreach (var line in Lines($"/proc/{id}/smaps_rollup"))
            {
                if (line.StartsWith("Rss:", StringComparison.Ordinal)) rss += Kilobytes(line);
                if (line.StartsWith("Pss:", StringComparison.Ordinal)) pss += Kilobytes(line);
            }
        }
        return (rss, pss);
    }

    private static IEnumerable<int> Members(int root)
    {
        var pending = new Queue<int>([root]);
        while (pending.TryDequeue(out var id))
        {
            yield return id;
            var tasks = Directory.Exists($"/proc/{id}/task") ? Directory.GetDirectories($"/proc/{id}/task") : [];
            foreach (var child in tasks.SelectMany(task => Lines($"{task}/children")).SelectMany(line => line.Split(' ')))
            {
                if (int.TryParse(child, CultureInfo.InvariantCulture, out var pid)) pending.Enqueue(pid);
            }
        }
    }

    // The name in parentheses may hold spaces: the fields that follow it begin with the third, the state.
    private static string[] Stat(int id)
    {
        var line = Lines($"/proc/{id}/stat").FirstOrDefault("");
        return line[(line.LastIndexOf(')') + 1)..].Trim().Split(' ');
    }

    // A process may end while it is being read.
    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static long Kilobytes(string line) => (long)Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
