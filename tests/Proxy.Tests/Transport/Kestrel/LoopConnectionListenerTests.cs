using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Transport.Kestrel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace MeshProxy.Proxy.Tests.Transport.Kestrel;

/// <summary>Kestrel on our loops, asked by the framework's client and by bare sockets.</summary>
public sealed class LoopConnectionListenerTests : IAsyncLifetime
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(30);

    private static readonly byte[] Large = MakeLarge();

    private readonly EventLoop[] _loops = [new("worker_0", 0), new("worker_1", 1)];
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _application;
    private IPEndPoint _http1 = null!;
    private IPEndPoint _http2 = null!;

    public LoopConnectionListenerTests()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1);
            options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(new LoopConnectionListenerFactory(_loops));
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(AnswerAsync);
    }

    public async Task InitializeAsync()
    {
        foreach (var loop in _loops)
        {
            loop.Start();
        }
        await _application.StartAsync();
        var addresses = _application.Urls.Select(url => new Uri(url)).ToArray();
        (_http1, _http2) = (new(IPAddress.Loopback, addresses[0].Port), new(IPAddress.Loopback, addresses[1].Port));
    }

    public async Task DisposeAsync()
    {
        await _application.DisposeAsync();
        foreach (var loop in _loops)
        {
            loop.Stop();
        }
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task BodiesLargerThanAllBuffersArriveWhole(string version)
    {
        using var client = new HttpClient();
        using var sent = await client.SendAsync(Request(HttpMethod.Post, "/digest", version)).WaitAsync(HangLimit);
        Assert.Equal(version, sent.Version.ToString());
        Assert.Equal(Convert.ToHexString(SHA256.HashData(Large)), await sent.Content.ReadAsStringAsync());
        using var received = await client.SendAsync(Request(HttpMethod.Get, "/large", version)).WaitAsync(HangLimit);
        Assert.Equal(Large, await received.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task ManyConnectionsAreServedAtOnce()
    {
        using var client = new HttpClient();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.GetStringAsync($"http://{_http1}/{i}")))
            .WaitAsync(HangLimit);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"/{i} from 127.0.0.1"), answers);
    }

    [Fact]
    public async Task AClientThatEndedItsSideStillGetsTheAnswer()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync("GET /half HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);
        var answer = await ReadToEndAsync(socket).WaitAsync(HangLimit);
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("/half from 127.0.0.1", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAbortedAnswerResetsTheConnection()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync("GET /abort HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        var error = await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(socket).WaitAsync(HangLimit));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task AClientThatLeavesIsNoticed()
    {
        var socket = await ConnectAsync();
        await socket.SendAsync("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        await ReadSomeAsync(socket).WaitAsync(HangLimit);
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
        await _aborted.Task.WaitAsync(HangLimit);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/digest":
                await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
                break;
            case "/large":
                await context.Response.Body.WriteAsync(Large);
                break;
            case "/abort":
                context.Abort();
                break;
            case "/wait":
                context.RequestAborted.Register(() => _aborted.TrySetResult());
                await context.Response.Body.FlushAsync();
                await _aborted.Task;
                break;
            default:
                await context.Response.WriteAsync($"{context.Request.Path} from {context.Connection.RemoteIpAddress}");
                break;
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string version) =>
        new(method, $"http://{(version == "2.0" ? _http2 : _http1)}{path}")
        {
            Version = new Version(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = method == HttpMethod.Post ? new ByteArrayContent(Large) : null,
        };

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_http1);
        return socket;
    }

    private static byte[] MakeLarge()
    {
        var bytes = new byte[8 * 1024 * 1024];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static async Task ReadSomeAsync(Socket socket) => Assert.NotEqual(0, await socket.ReceiveAsync(new byte[100]));

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        return text.ToString();
    }
}
