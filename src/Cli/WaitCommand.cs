using System.CommandLine;
using System.Net;

namespace MeshProxy.Cli;

/// <summary>`meshproxy wait`: until the proxy of the pod is ready, so that the application starts after it.</summary>
internal static class WaitCommand
{
    private static readonly Option<string> Url = new("--url")
    {
        Description = "Where readiness is asked for.",
        DefaultValueFactory = _ => "http://localhost:15021/healthz/ready",
    };

    private static readonly Option<int> Timeout = Number("--timeoutSeconds", "How long to wait, in seconds.", 60);
    private static readonly Option<int> Period = Number("--periodMillis", "How long between questions, in milliseconds.", 500);
    private static readonly Option<int> RequestTimeout = Number("--requestTimeoutMillis", "How long one question may take.", 500);

    public static int Run(string[] arguments)
    {
        var command = new Command("wait", "Waits until the proxy is ready.") { Url, Timeout, Period, RequestTimeout };
        command.SetAction(line => WaitAsync(line).GetAwaiter().GetResult());
        return CommandLine.Invoke(command, arguments);
    }

    private static async Task<int> WaitAsync(ParseResult line)
    {
        var url = line.GetValue(Url)!;
        using var client = new HttpClient { Timeout = TimeSpan.FromMilliseconds(line.GetValue(RequestTimeout)) };
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(line.GetValue(Timeout)));
        var reason = "";
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var answer = await client.GetAsync(url, end.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return 0;
                reason = $"it answers {(int)answer.StatusCode}";
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                reason = e is HttpRequestException ? e.Message : "it does not answer";
            }
            await Task.Delay(line.GetValue(Period), end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Console.Error.WriteLine($"Error: the proxy was not ready within {line.GetValue(Timeout)} s: {reason}.");
        return 1;
    }

    private static Option<int> Number(string name, string help, int absent) =>
        new(name) { Description = help, DefaultValueFactory = _ => absent };
}
