using System.Net;
using System.Net.Sockets;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>A client of one protocol, on connections of its own.</summary>
internal sealed class Caller : IDisposable
{
    private readonly HttpClient _client;
    private readonly bool _isGrpc;
    private readonly bool _isHttp1;
    private readonly TaskCompletionSource _toldToLeave = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _connections;

    /// <param name="protocol">`HTTP/1.1`, `HTTP/2` or `gRPC`.</param>
    /// <param name="port">On the loopback interface.</param>
    public Caller(string protocol, int port)
    {
        (_isGrpc, _isHttp1) = (protocol == "gRPC", protocol == "HTTP/1.1");
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectCallback = ConnectAsync })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}/"),
            Timeout = TimeSpan.FromSeconds(60),
            DefaultRequestVersion = _isHttp1 ? HttpVersion.Version11 : HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>One call; it throws when it failed.</summary>
    public async Task CallAsync(string path)
    {
        if (_isGrpc)
        {
            await Talk.GrpcAsync(_client, "hello", path);
            return;
        }

        using var answer = await _client.PostAsync(path, new StringContent("hello"));
        answer.EnsureSuccessStatusCode();
        if (await answer.Content.ReadAsStringAsync() != "hello") throw new HttpRequestException("another body came back");
        if (answer.Headers.ConnectionClose == true) _toldToLeave.TrySetResult();
    }

    /// <summary>Waits until the server asked to leave: by `connection: close`, or by GOAWAY, which opens a new connection.</summary>
    public Task ToldToLeaveAsync(CancellationToken limit) => _toldToLeave.Task.WaitAsync(limit);

    public void Dispose() => _client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(context.DnsEndPoint, stop);
        // HTTP/2 needs one connection as long as nobody ends it.
        if (Interlocked.Increment(ref _connections) > 1 && !_isHttp1) _toldToLeave.TrySetResult();
        return new NetworkStream(socket, ownsSocket: true);
    }
}
