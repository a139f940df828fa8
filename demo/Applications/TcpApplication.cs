using System.Net;
using System.Net.Sockets;
using System.Text;
using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Applications;

/// <summary>Sends a greeting, if it has one, and then every byte back.</summary>
internal sealed class TcpApplication : IApplication
{
    private readonly Socket _listener;
    private readonly byte[] _greeting;
    private readonly HashSet<Socket> _connections = [];
    private bool _closed;

    private TcpApplication(Socket listener, string greeting)
    {
        _listener = listener;
        _greeting = Encoding.ASCII.GetBytes(greeting);
    }

    /// <summary>What a server that speaks first says, in the manner of SMTP.</summary>
    public static string Greeting(Workload workload) => $"220 {workload.Name} ready\r\n";

    /// <summary>Starts it in a pod.</summary>
    public static TcpApplication Start(Pod pod, EndPoint address, string greeting)
    {
        var listener = pod.Bind(address);
        listener.Listen();
        var application = new TcpApplication(listener, greeting);
        _ = application.AcceptAsync();
        return application;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        lock (_connections)
        {
            _closed = true;
            foreach (var connection in _connections)
            {
                // A reset, as from a process that died.
                connection.LingerState = new LingerOption(true, 0);
                connection.Dispose();
            }
        }

        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        lock (_connections)
        {
            if (_closed) connection.Dispose();
            else _connections.Add(connection);
        }

        var buffer = new byte[4096];
        try
        {
            if (_greeting.Length > 0) await connection.SendAsync(_greeting);
            while (await connection.ReceiveAsync(buffer) is var read and > 0)
                await connection.SendAsync(buffer.AsMemory(0, read));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client has gone, or the pod has: nothing is left to answer.
        }
        finally
        {
            lock (_connections) _connections.Remove(connection);
            connection.Dispose();
        }
    }
}
