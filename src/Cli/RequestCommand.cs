using System.CommandLine;

namespace MeshProxy.Cli;

/// <summary>`meshproxy request METHOD PATH`: asks the proxy's administration interface or the agent, and prints the answer.</summary>
internal static class RequestCommand
{
    // pilot-agent's list: nothing but the proxy's own ports can be asked from here.
    private static readonly int[] Allowed = [15000, 15004, 15020, 15021];

    // As long as pilot-agent waits.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Argument<string> Method = new("method") { Description = "Such as GET or POST." };
    private static readonly Argument<string> Path = new("path") { Description = "Such as stats or config_dump." };

    private static readonly Option<int> Port = new("--debug-port")
    {
        Description = "15000 (administration), 15020 (agent), 15004 or 15021.",
        DefaultValueFactory = _ => 15000,
    };

    public static int Run(string[] arguments)
    {
        var command = new Command("request", "Asks the proxy or the agent of this pod.") { Method, Path, Port };
        command.SetAction(line => AskAsync(line).GetAwaiter().GetResult());
        return CommandLine.Invoke(command, arguments);
    }

    private static async Task<int> AskAsync(ParseResult line)
    {
        var port = line.GetValue(Port);
        if (!Allowed.Contains(port))
        {
            Console.Error.WriteLine($"Error: port {port} is not one of {string.Join(", ", Allowed)}.");
            return 1;
        }
        try
        {
            using var client = new HttpClient { Timeout = Patience };
            using var request = new HttpRequestMessage(
                new HttpMethod(line.GetValue(Method)!), $"http://localhost:{port}/{line.GetValue(Path)!.TrimStart('/')}");
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using var output = Console.OpenStandardOutput();
            await answer.Content.CopyToAsync(output);
            return 0;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or FormatException)
        {
            Console.Error.WriteLine($"Error: port {port} did not answer: {e.Message}");
            return 1;
        }
    }
}
