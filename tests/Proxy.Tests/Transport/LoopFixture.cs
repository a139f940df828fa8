using System.Collections.Concurrent;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Tests.Transport;

/// <summary>A running loop, and what tests need of it: work on the loop, events awaited with a limit that only a hang reaches.</summary>
public sealed class LoopFixture : IDisposable
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(20);

    public LoopFixture() => Loop.Start();

    public EventLoop Loop { get; } = new("test", 0);

    public static T Await<T>(BlockingCollection<T> queue) =>
        queue.TryTake(out var item, HangLimit) ? item : throw new TimeoutException("The expected event did not come.");

    public void Dispose() => Loop.Stop();
}

/// <summary>Records what a connection does, as text.</summary>
public sealed class ConnectionRecorder : IConnectionCallbacks, IReadFilter
{
    public BlockingCollection<string> Events { get; } = [];

    public BlockingCollection<(byte[] Data, bool End)> Reads { get; } = [];

    public void OnEvent(ConnectionEvent connectionEvent) => Events.Add(connectionEvent.ToString());

    public void OnAboveWriteBufferHighWatermark() => Events.Add("high");

    public void OnBelowWriteBufferLowWatermark() => Events.Add("low");

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        Reads.Add((data.ToArray(), endStream));
        data.Clear();
        return FilterStatus.StopIteration;
    }

    public void Attach(Connection connection)
    {
        connection.AddCallbacks(this);
        connection.AddReadFilter(this);
        connection.InitializeReadFilters();
    }
}
