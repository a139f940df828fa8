namespace MeshProxy.Bench.Load;

/// <summary>
/// Asks meshproxy whether it accepted configuration that it does not carry out: filters without effect are fast, and a figure
/// taken with them says nothing of the chain.
/// </summary>
internal static class UnsupportedProbe
{
    /// <returns>Why the work is not what was asked, or cannot be known to be; null when it is.</returns>
    public static string? Ask(int adminPort)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            var listed = client.GetStringAsync(new Uri($"http://127.0.0.1:{adminPort}/unsupported")).GetAwaiter().GetResult().Trim();
            return listed.Length == 0 ? null : $"accepted without effect: {listed.Replace("\n", "; ")}";
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException)
        {
            return $"it cannot be asked what it accepts without effect: {failed.Message}";
        }
    }
}
