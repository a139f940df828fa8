using System.Diagnostics;
using MeshProxy.Demo.Applications;

namespace MeshProxy.Demo.Traffic;

/// <summary>Sends requests to a service at a steady rate until it is stopped.</summary>
public sealed class LoadGenerator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TrafficRecorder _recorder = new();
    private readonly HttpClient _client;
    private readonly Task _workers;

    private LoadGenerator(HttpClient client, int requestsPerSecond, int workers)
    {
        _client = client;
        var interval = TimeSpan.FromSeconds((double)workers / requestsPerSecond);
        _workers = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(interval))));
    }

    /// <summary>What was seen so far.</summary>
    public TrafficFigures Figures => _recorder.Figures();

    /// <summary>Starts it.</summary>
    /// <param name="client">Sends the requests, from the pod that calls; disposed with the generator.</param>
    /// <param name="requestsPerSecond">The rate of all workers together.</param>
    /// <param name="workers">How many requests are under way at most, each on its own connection.</param>
    public static LoadGenerator Start(HttpClient client, int requestsPerSecond, int workers = 16) =>
        new(client, requestsPerSecond, workers);

    /// <summary>Waits until this many requests were answered.</summary>
    public Task WaitForAnswersAsync(int answers, CancellationToken cancellation) =>
        _recorder.WaitAsync(answers, failures: 0, cancellation);

    /// <summary>Waits until this many requests failed.</summary>
    public Task WaitForFailuresAsync(int failures, CancellationToken cancellation) =>
        _recorder.WaitAsync(answers: 0, failures, cancellation);

    /// <summary>Stops it, lets what is under way end, and gives what was seen.</summary>
    public async Task<TrafficFigures> StopAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        return Figures;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task WorkAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token)) await RequestAsync();
        }
        catch (OperationCanceledException)
        {
            // Stopped between two requests.
        }
    }

    // Not cancelled by a stop: a request that the mesh has begun must end well, and is counted.
    private async Task RequestAsync()
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await _client.GetAsync("");
            if (answer.IsSuccessStatusCode)
                _recorder.Answer(VersionOf(answer), Stopwatch.GetElapsedTime(start));
            else
                _recorder.Failure($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            _recorder.Failure(e.InnerException?.Message ?? e.Message);
        }
    }

    private static string VersionOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues(WebApplicationServer.VersionHeader, out var values) ? values.First() : "none";
}
