using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace MeshProxy.Proxy.Transport.Kestrel;

/// <summary>A listening socket shared by the loops; accepted connections wait in a queue until Kestrel takes them.</summary>
internal sealed class LoopConnectionListener : IConnectionListener
{
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>();
    private readonly (EventLoop Loop, ListenSocket Socket)[] _sockets;

    public LoopConnectionListener(ListenSocket socket, IReadOnlyList<EventLoop> loops)
    {
        EndPoint = socket.LocalAddress;
        _sockets = new (EventLoop, ListenSocket)[loops.Count];
        for (var i = 0; i < _sockets.Length; i++)
        {
            var (loop, own) = (loops[i], i == 0 ? socket : socket.Duplicate());
            _sockets[i] = (loop, own);
            loop.Invoke(() => own.Attach(loop, accepted => Accept(loop, accepted)));
        }
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false)
        && _accepted.Reader.TryRead(out var connection)
            ? connection
            : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        foreach (var (loop, socket) in _sockets)
        {
            loop.Invoke(socket.Close);
        }
        _accepted.Writer.TryComplete();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        while (_accepted.Reader.TryRead(out var connection))
        {
            connection.Abort();
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    // On the loop.
    private void Accept(EventLoop loop, AcceptedSocket socket)
    {
        var info = new ConnectionInfo
        {
            LocalAddress = socket.LocalAddress,
            DirectLocalAddress = socket.LocalAddress,
            RemoteAddress = socket.RemoteAddress,
            DirectRemoteAddress = socket.RemoteAddress,
            ConnectionId = StreamConnection.NextId(),
        };
        var connection = ConnectionFactory.CreateServer(
            loop, socket.FileDescriptor, new RawBufferSocket(), info, ConnectionFactory.NewStreamInfo(loop, info));
        var context = new LoopConnectionContext(connection);
        if (_accepted.Writer.TryWrite(context))
        {
            context.Start();
        }
        else
        {
            connection.Close(ConnectionCloseType.AbortReset);
        }
    }
}
