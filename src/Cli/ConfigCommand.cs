namespace MeshProxy.Cli;

/// <summary>`meshproxy config unsupported`: asks a running proxy what of its configuration it accepted without building it.</summary>
internal static class ConfigCommand
{
    private const string DefaultAdmin = "127.0.0.1:15000";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static int Run(string[] arguments)
    {
        var admin = arguments switch
        {
            ["unsupported"] => DefaultAdmin,
            ["unsupported", "--admin", var address] => address,
            _ => null,
        };
        if (admin is null)
        {
            Console.Error.WriteLine($"Usage: meshproxy config unsupported [--admin ADDRESS:PORT] (default {DefaultAdmin})");
            return 1;
        }
        try
        {
            using var client = new HttpClient { Timeout = Patience };
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{admin}/unsupported");
            using var response = client.Send(request).EnsureSuccessStatusCode();
            using var text = new StreamReader(response.Content.ReadAsStream());
            Console.Out.Write(text.ReadToEnd());
            return 0;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            Console.Error.WriteLine($"Error: the admin interface at {admin} did not answer: {failure.Message}");
            return 1;
        }
    }
}
