namespace MeshProxy.Agent.Tests;

/// <summary>A proxy that notes what the agent asks of it.</summary>
internal sealed class FakeProxy : IProxy
{
    private readonly TaskCompletionSource _shutdown = new();
    private readonly TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _draining = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsLive { get; set; }

    public long OpenConnections { get; set; }

    public Task<long> OpenConnectionsAsync() => Task.FromResult(OpenConnections);

    /// <summary>What was asked, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>When it was told to run.</summary>
    public Task Running => _running.Task;

    /// <summary>When it was told to drain.</summary>
    public Task Draining => _draining.Task;

    public void Run()
    {
        _running.SetResult();
        _shutdown.Task.Wait();
    }

    public void Drain(bool inboundOnly)
    {
        Note(inboundOnly ? "drain inbound" : "drain all");
        _draining.TrySetResult();
    }

    public void Shutdown()
    {
        Note("shutdown");
        _shutdown.TrySetResult();
    }

    public void Dispose()
    {
    }

    private void Note(string call)
    {
        lock (Calls) Calls.Add(call);
    }
}
