using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using MeshProxy.Proxy.Network;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace MeshProxy.Proxy.Transport.Kestrel;

/// <summary>
/// A connection of a loop as Kestrel knows connections: two pipes. Whoever is slow holds the other up: a full input pipe
/// stops the reading, a full write buffer leaves the output pipe as it is.
/// </summary>
internal sealed class LoopConnectionContext : ConnectionContext, IReadFilter, IConnectionCallbacks
{
    /// <summary>Bytes in a pipe beyond which its writer waits; Kestrel's own transports have the same (MaxReadBufferSize, 1 MiB).</summary>
    private const long PauseBytes = 1024 * 1024;

    private readonly Connection _connection;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _belowHighWatermark;
    private Exception? _abortReason;
    private bool _inputEnded;

    public LoopConnectionContext(Connection connection)
    {
        _connection = connection;
        connection.HalfCloseEnabled = true;
        var loop = new LoopScheduler(connection.Loop);
        _input = new Pipe(Options(readers: PipeScheduler.ThreadPool, writers: loop));
        _output = new Pipe(Options(readers: loop, writers: PipeScheduler.ThreadPool));
        Transport = new Duplex(_input.Reader, _output.Writer);
        ConnectionId = connection.Id.ToString(CultureInfo.InvariantCulture);
        LocalEndPoint = connection.Info.LocalAddress;
        RemoteEndPoint = connection.Info.RemoteAddress;
        ConnectionClosed = _closed.Token;
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    /// <summary>Begins to read and write; on the loop.</summary>
    public void Start()
    {
        _connection.AddCallbacks(this);
        _connection.AddReadFilter(this);
        _connection.InitializeReadFilters();
        _connection.Start();
        _ = SendAsync();
    }

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Loop.Post(() =>
    {
        _abortReason = abortReason;
        _connection.Close(ConnectionCloseType.AbortReset);
    });

    /// <summary>What was written still reaches the peer; done when the connection is gone.</summary>
    public override async ValueTask DisposeAsync()
    {
        await _output.Writer.CompleteAsync().ConfigureAwait(false);
        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
        _closed.Dispose();
    }

    void IReadFilter.InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    FilterStatus IReadFilter.OnNewConnection() => FilterStatus.Continue;

    FilterStatus IReadFilter.OnData(ByteBuffer data, bool endStream)
    {
        foreach (var segment in data)
        {
            segment.Span.CopyTo(_input.Writer.GetSpan(segment.Length));
            _input.Writer.Advance(segment.Length);
        }
        data.Clear();
        if (endStream)
        {
            EndInput(null);
            return FilterStatus.StopIteration;
        }
        var flush = _input.Writer.FlushAsync();
        if (!flush.IsCompleted)
        {
            _connection.ReadDisable(true);
            _ = ResumeAsync(flush);
        }
        return FilterStatus.StopIteration;
    }

    void IConnectionCallbacks.OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            return;
        }
        EndInput(_abortReason
            ?? (_connection.DetectedCloseType == DetectedCloseType.RemoteReset
                ? new ConnectionResetException("The peer reset the connection.")
                : null));
        _output.Reader.CancelPendingRead();
        _belowHighWatermark?.TrySetResult();
        // Off the loop: what hears of it is the application's.
        ThreadPool.UnsafeQueueUserWorkItem(static context => context.TellClosed(), this, preferLocal: false);
    }

    void IConnectionCallbacks.OnAboveWriteBufferHighWatermark()
    {
    }

    void IConnectionCallbacks.OnBelowWriteBufferLowWatermark() => _belowHighWatermark?.TrySetResult();

    private static PipeOptions Options(PipeScheduler readers, PipeScheduler writers) => new(
        readerScheduler: readers, writerScheduler: writers, pauseWriterThreshold: PauseBytes,
        resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);

    private void EndInput(Exception? reason)
    {
        if (!_inputEnded)
        {
            _inputEnded = true;
            _input.Writer.Complete(reason);
        }
    }

    private void TellClosed()
    {
        _closed.Cancel();
        _ended.TrySetResult();
    }

    private async Task ResumeAsync(ValueTask<FlushResult> flush)
    {
        var result = await flush.ConfigureAwait(false);
        // The application reads no more: what still comes is of no use to it, but an end must be seen.
        if (!result.IsCompleted || _connection.State != ConnectionState.Closed)
        {
            _connection.ReadDisable(false);
        }
    }

    // On the loop from its first wait on: the pipe's readers are continued there.
    private async Task SendAsync()
    {
        var close = ConnectionCloseType.FlushWriteAndDelay;
        try
        {
            await SendOutputAsync().ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is not OutOfMemoryException)
        {
            // The application gave its answer up, whatever the reason: the peer must not take it for whole.
            close = ConnectionCloseType.AbortReset;
        }
        await _output.Reader.CompleteAsync(_abortReason).ConfigureAwait(false);
        _connection.Close(close);
    }

    private async Task SendOutputAsync()
    {
        while (_connection.State != ConnectionState.Closed)
        {
            var result = await _output.Reader.ReadAsync().ConfigureAwait(false);
            var data = new ByteBuffer();
            foreach (var segment in result.Buffer)
            {
                data.Append(segment.Span);
            }
            _output.Reader.AdvanceTo(result.Buffer.End);
            if (!data.IsEmpty)
            {
                _connection.Write(data, false);
            }
            if (result.IsCompleted)
            {
                return;
            }
            if (_connection.AboveHighWatermark)
            {
                // Continued where it is set: on the loop.
                _belowHighWatermark = new TaskCompletionSource();
                await _belowHighWatermark.Task.ConfigureAwait(false);
                _belowHighWatermark = null;
            }
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
