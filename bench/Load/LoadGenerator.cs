using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshProxy.Bench.Load;

/// <summary>Requests by wrk (HTTP/1.1, as many as the proxy answers) and h2load (HTTP/2; at a fixed rate).</summary>
internal static partial class LoadGenerator
{
    // h2load's --rps is per connection: few connections leave room for rates that divide evenly.
    private const int PacedConnections = 10;

    /// <summary>The requests answered in a while of load without a pause.</summary>
    /// <exception cref="BenchException">An answer was not 2xx, or a connection failed.</exception>
    public static long Saturate(LoadKind kind, int port, int connections, int seconds)
    {
        var duration = seconds.ToString(CultureInfo.InvariantCulture);
        if (kind == LoadKind.Http2)
        {
            // Ten streams a connection: multiplexing is what HTTP/2 is for.
            var clients = Math.Max(1, connections / 10);
            return CheckedH2Load(Command.Run("h2load", "-t1", $"-c{clients}", "-m10", "-D", duration, Header, Url(kind, port)));
        }
        var output = Command.Run("wrk", "-t1", $"-c{connections}", $"-d{duration}s", "-H", Authority, Url(kind, port));
        if (output.Contains("Non-2xx", StringComparison.Ordinal) || output.Contains("Socket errors", StringComparison.Ordinal))
            throw new BenchException($"requests failed: {output.Split('\n').First(static line => line.Contains("Non-2xx") || line.Contains("Socket"))}");
        return long.Parse(WrkRequests().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>The times of requests sent at a fixed rate, in ms, ascending.</summary>
    public static double[] Paced(LoadKind kind, int port, int rate, int seconds, string folder)
    {
        var log = Path.Combine(folder, "requests.log");
        File.Delete(log);
        var count = rate * seconds;
        var protocol = kind == LoadKind.Http2 ? "-m10" : "--h1";
        CheckedH2Load(Command.Run("h2load", protocol, "-t1", $"-c{PacedConnections}", $"-n{count}", $"--rps={rate / PacedConnections}",
            $"--log-file={log}", Header, Url(kind, port)));
        // Columns: start, status, microseconds (h2load(1)).
        return [.. File.ReadLines(log).Select(static line => double.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture) / 1000).Order()];
    }

    private const string Authority = $"Host: {CapturedResources.Authority}";
    private const string Header = $"--header=:authority: {CapturedResources.Authority}";

    private static string Url(LoadKind kind, int port) => $"{(kind == LoadKind.Https1 ? "https" : "http")}://127.0.0.1:{port}/";

    private static long CheckedH2Load(string output)
    {
        var good = H2LoadGood().Match(output).Groups[1].Value;
        // Requests under way when the time is over count as neither good nor bad.
        if (good is "" or "0" || !H2LoadAllGood().IsMatch(output))
            throw new BenchException($"requests failed: {output.Split('\n').FirstOrDefault(static line => line.StartsWith("status codes:")) ?? output}");
        return long.Parse(good, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"(\d+) requests in ")]
    private static partial Regex WrkRequests();

    [GeneratedRegex(@"status codes: (\d+) 2xx")]
    private static partial Regex H2LoadGood();

    [GeneratedRegex(@"status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx")]
    private static partial Regex H2LoadAllGood();
}
