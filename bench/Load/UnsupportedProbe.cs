using System.Globalization;

namespace MeshProxy.Bench.Load;

/// <summary>
/// Asks meshproxy whether it accepted configuration that it does not carry out: filters without effect are fast, and a figure
/// taken with them says nothing of the chain.
/// </summary>
internal static class UnsupportedProbe
{
    private const string Stat = "meshproxy.unsupported_features";

    /// <returns>Why the work is not what was asked, or cannot be known to be; null when it is.</returns>
    public static string? Ask(int adminPort)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            var stats = client.GetStringAsync(new Uri($"http://127.0.0.1:{adminPort}/stats")).GetAwaiter().GetResult();
            var line = stats.Split('\n').FirstOrDefault(static line => line.StartsWith(Stat + ":", StringComparison.Ordinal));
            if (line is null) return $"it has no statistic {Stat}, so filters without effect cannot be ruled out";
            var count = long.Parse(line[(Stat.Length + 1)..], CultureInfo.InvariantCulture);
            return count == 0 ? null : $"{Stat} is {count}: parts of the configuration are accepted without effect";
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException)
        {
            return $"its statistics cannot be read: {failed.Message}";
        }
    }
}
