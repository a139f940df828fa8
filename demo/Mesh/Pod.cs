using System.Net;
using System.Net.Sockets;
using MeshProxy.Demo.Applications;
using MeshProxy.Demo.Network;

namespace MeshProxy.Demo.Mesh;

/// <summary>A running pod: a place for sockets, the application if it serves, and the sidecar if it has one.</summary>
public sealed class Pod : IAsyncDisposable
{
    private readonly NetworkNamespace? _namespace;

    internal Pod(Workload workload, NetworkNamespace? place)
    {
        Workload = workload;
        _namespace = place;
    }

    /// <summary>What it was made from.</summary>
    public Workload Workload { get; }

    /// <summary>Its proxy; null for a stranger to the mesh.</summary>
    public ChildProcess? Sidecar { get; internal set; }

    /// <summary>What serves in it; null for one that only calls.</summary>
    public IApplication? Application { get; internal set; }

    /// <summary>The command line that runs a command where its sockets are.</summary>
    public string[] Inside(params ReadOnlySpan<string> command) => _namespace?.Inside(command) ?? command.ToArray();

    /// <summary>Makes a TCP socket in it.</summary>
    public Socket Socket() =>
        _namespace?.Socket() ?? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Makes a TCP socket in it, bound to an address.</summary>
    public Socket Bind(EndPoint address)
    {
        var socket = Socket();
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return socket;
    }

    /// <summary>Connects from it to an address, as an application in the pod would.</summary>
    public async Task<NetworkStream> ConnectAsync(string address, int port, CancellationToken cancellation = default)
    {
        var socket = Socket();
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(IPAddress.Parse(address), port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A client of HTTP that connects from it to this address, whatever the URL's host.</summary>
    public HttpClient HttpClient(string address, int port) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) => await ConnectAsync(address, port, cancellation),
        // The demo counts what the mesh does: nothing may be cached, followed or proxied on the way.
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
    })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>Ends the pod as a crash of its node would: nothing is told, connections are reset.</summary>
    public async Task CrashAsync()
    {
        Sidecar?.Kill();
        if (Application is not null) await Application.DisposeAsync();
    }

    /// <summary>Ends what runs in it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Application is not null) await Application.DisposeAsync();
        if (Sidecar is not null) await Sidecar.DisposeAsync();
    }
}
