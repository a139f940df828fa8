namespace MeshProxy.Cli.Dumps;

/// <summary>Asks a running proxy's admin interface.</summary>
internal static class AdminClient
{
    public const string DefaultAddress = "127.0.0.1:15000";

    // A dump of ten thousand clusters takes seconds on a busy core.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="CommandException">It does not answer, or refuses.</exception>
    public static byte[] Get(string address, string path) => Ask(HttpMethod.Get, address, path);

    /// <exception cref="CommandException">It does not answer, or refuses.</exception>
    public static byte[] Post(string address, string path) => Ask(HttpMethod.Post, address, path);

    private static byte[] Ask(HttpMethod method, string address, string path)
    {
        try
        {
            using var client = new HttpClient { Timeout = Patience };
            using var request = new HttpRequestMessage(method, $"http://{address}{path}");
            using var response = client.Send(request);
            using var content = new MemoryStream();
            response.Content.ReadAsStream().CopyTo(content);
            return response.IsSuccessStatusCode ? content.ToArray()
                : throw new CommandException($"the admin interface at {address} answers {path} with {(int)response.StatusCode}: "
                    + System.Text.Encoding.UTF8.GetString(content.ToArray()).ReplaceLineEndings(" ").Trim());
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or UriFormatException or IOException)
        {
            throw new CommandException(
                $"the admin interface at {address} did not answer ({failure.Message}); give --admin ADDRESS:PORT, or --file with a config_dump.");
        }
    }
}
