using System.Diagnostics;
using System.Threading.Channels;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>One stream: takes requests and changes in turn, so that the protocol is of one thread at a time.</summary>
internal sealed class DiscoverySession(
    GrpcCall call, IDiscoveryProtocol protocol, IResourceSource source, ControlPlaneMetrics metrics)
{
    private readonly GrpcCall _call = call;
    private readonly IDiscoveryProtocol _protocol = protocol;
    private readonly IResourceSource _source = source;
    private readonly ControlPlaneMetrics _metrics = metrics;
    private long _changedAt;

    // Requests wait for the client to read its answers; a change waits once, however many come.
    private readonly Channel<Message> _requests = Channel.CreateBounded<Message>(1);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
    });

    /// <summary>Serves until the client is done or the server stops.</summary>
    /// <returns>How it ended, for the client.</returns>
    public async Task<(GrpcStatus Status, string Reason)> RunAsync(CancellationToken stop)
    {
        _source.Changed += OnChange;
        try
        {
            await _call.StartAsync(stop).ConfigureAwait(false);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var reading = ReadAsync(end.Token);
            try
            {
                await ServeAsync(stop).ConfigureAwait(false);
            }
            finally
            {
                await end.CancelAsync().ConfigureAwait(false);
                await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            await reading.ConfigureAwait(false);
            return (GrpcStatus.Ok, "");
        }
        catch (ProtobufException refused)
        {
            return (GrpcStatus.InvalidArgument, refused.Message);
        }
        finally
        {
            _source.Changed -= OnChange;
        }
    }

    // The first change that waits counts: those after it go with it.
    private void OnChange()
    {
        Interlocked.CompareExchange(ref _changedAt, Stopwatch.GetTimestamp(), 0);
        _changes.Writer.TryWrite(true);
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        Exception? error = null;
        try
        {
            while (await _call.ReadAsync(_protocol.RequestType, stop).ConfigureAwait(false) is { } request)
                await _requests.Writer.WriteAsync(request, stop).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e;
            throw;
        }
        finally
        {
            _requests.Writer.Complete(error as ProtobufException);
        }
    }

    private async Task ServeAsync(CancellationToken stop)
    {
        var request = _requests.Reader.WaitToReadAsync(stop).AsTask();
        var change = _changes.Reader.WaitToReadAsync(stop).AsTask();
        while (true)
        {
            await Task.WhenAny(request, change).ConfigureAwait(false);
            if (request.IsCompleted)
            {
                if (!await request.ConfigureAwait(false))
                    return;
                while (_requests.Reader.TryRead(out var message))
                    await SendAsync(_protocol.Answer(message), stop).ConfigureAwait(false);
                request = _requests.Reader.WaitToReadAsync(stop).AsTask();
            }
            if (change.IsCompleted)
            {
                await change.ConfigureAwait(false);
                _changes.Reader.TryRead(out _);
                var since = Interlocked.Exchange(ref _changedAt, 0);
                await SendAsync(_protocol.Push(), stop).ConfigureAwait(false);
                if (since != 0)
                    _metrics.Converged(Stopwatch.GetElapsedTime(since));
                change = _changes.Reader.WaitToReadAsync(stop).AsTask();
            }
        }
    }

    private async Task SendAsync(IEnumerable<Message> responses, CancellationToken stop)
    {
        foreach (var response in responses)
        {
            var bytes = response.ToBytes();
            await _call.WriteAsync(bytes, stop).ConfigureAwait(false);
            _metrics.CountPush(_protocol.TypeOf(response), bytes.Length);
        }
    }
}
