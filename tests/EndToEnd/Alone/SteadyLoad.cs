using System.Diagnostics;
using MeshProxy.Demo.Traffic;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>Workers that each make one call after the other until they are told to stop.</summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    private readonly TrafficRecorder _recorder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Task> _call;
    private readonly Task _workers;

    private SteadyLoad(Func<Task> call, int workers)
    {
        _call = call;
        _workers = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(WorkAsync)));
    }

    public TrafficFigures Figures => _recorder.Figures();

    /// <summary>Starts it.</summary>
    /// <param name="call">One call; it throws when the call failed.</param>
    /// <param name="workers">How many calls are under way at most.</param>
    public static SteadyLoad Start(Func<Task> call, int workers = 8) => new(call, workers);

    /// <summary>Waits until this many more calls were answered.</summary>
    public Task WaitForMoreAsync(int answers, CancellationToken limit) =>
        _recorder.WaitAsync(Figures.Answers + answers, failures: 0, limit);

    /// <summary>Stops it, lets what is under way end, and gives what was seen.</summary>
    public async Task<TrafficFigures> StopAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        return Figures;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WorkAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                await _call();
                _recorder.Answer("", Stopwatch.GetElapsedTime(start));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                _recorder.Failure((e.InnerException ?? e).Message);
            }
        }
    }
}
