using System.Net;
using System.Net.Sockets;
using Grpc.Health.V1;
using MeshProxy.Agent.Discovery;
using MeshProxy.Xds.Protobuf;
using Microsoft.AspNetCore.Http;

namespace MeshProxy.Agent.Status;

/// <summary>
/// Asks applications what their probes asked. Connections come from 127.0.0.6 (or ::6), which redirects leave alone:
/// the answer is the application's, not the proxy's.
/// </summary>
internal sealed class Prober : IDisposable
{
    private const int MostRedirects = 10;

    // Kubernetes reads no more of a probe's answer either (maxRespBodyLength).
    private const int LongestBody = 10 * 1024;

    private static readonly string[] NotPassedOn = ["Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Keep-Alive"];

    private readonly string _podAddress;
    private readonly int _statusPort;
    private readonly HttpClient _client;

    public Prober(string podAddress, int statusPort)
    {
        (_podAddress, _statusPort) = (podAddress, statusPort);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            // A connection an answer: a server that is going away must be seen by the next probe.
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = static async (context, stop) =>
                new NetworkStream(await ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false), ownsSocket: true),
        };
        // As kubelet: a probe asks whether the server answers, not who it is.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Answers a probe with what the application answers.</summary>
    public async Task ProbeAsync(ApplicationProbe probe, HttpContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (probe.Timeout is { } timeout)
            stop.CancelAfter(timeout);
        try
        {
            if (probe.Kind == ProbeKind.Http)
                await ProbeHttpAsync(probe, context, stop.Token).ConfigureAwait(false);
            else if (probe.Kind == ProbeKind.Grpc)
                context.Response.StatusCode = Status(await IsServingAsync(probe, context, stop.Token).ConfigureAwait(false));
            else
                (await ConnectAsync(Target(probe), stop.Token).ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or IOException or ProtobufException)
        {
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    public void Dispose() => _client.Dispose();

    private static int Status(bool isFine) => isFine ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError;

    private DnsEndPoint Target(ApplicationProbe probe) => new(probe.Host ?? _podAddress, probe.Port);

    private static async ValueTask<Socket> ConnectAsync(DnsEndPoint target, CancellationToken stop)
    {
        var host = target.Host.Trim('[', ']');
        var address = host == "localhost"
            ? IPAddress.Loopback
            : IPAddress.TryParse(host, out var parsed) ? parsed : (await System.Net.Dns.GetHostAddressesAsync(host, stop).ConfigureAwait(false))[0];
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Parse("127.0.0.6") : IPAddress.Parse("::6"), 0));
            await socket.ConnectAsync(address, target.Port, stop).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ProbeHttpAsync(ApplicationProbe probe, HttpContext context, CancellationToken stop)
    {
        var target = Target(probe);
        var first = new UriBuilder(probe.IsHttps ? "https" : "http", target.Host, target.Port).Uri;
        var uri = new Uri(first, probe.Path);
        for (var redirects = 0; ; redirects++)
        {
            using var request = Request(probe, context.Request, uri);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            if (status is < 300 or >= 400)
            {
                await CopyAsync(response, context, stop).ConfigureAwait(false);
                return;
            }
            // Whatever else says "elsewhere" or "nothing new" comes from a server that is up.
            if (response.Headers.Location is not { } location || new Uri(uri, location) is var next && next.Host != uri.Host)
            {
                context.Response.StatusCode = StatusCodes.Status200OK;
                return;
            }
            if (redirects == MostRedirects - 1)
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return;
            }
            uri = next;
        }
    }

    private HttpRequestMessage Request(ApplicationProbe probe, HttpRequest probed, Uri uri)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri)
        {
            Version = probe.IsHttps ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        foreach (var (name, values) in probed.Headers)
        {
            if (!NotPassedOn.Contains(name, StringComparer.OrdinalIgnoreCase))
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        request.Headers.Host = HostFor(probe, probed.Host);
        foreach (var (name, value) in probe.Headers)
        {
            request.Headers.Remove(name);
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                request.Headers.Host = value;
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    // The kubelet's Host is the pod with the agent's port: to the application it is its own.
    private string HostFor(ApplicationProbe probe, HostString host) =>
        host.Port == _statusPort ? new HostString(host.Host, probe.Port).Value! : host.Value ?? "";

    private static async Task CopyAsync(HttpResponseMessage response, HttpContext context, CancellationToken stop)
    {
        var body = new byte[LongestBody];
        var length = await (await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false))
            .ReadAtLeastAsync(body, LongestBody, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        context.Response.StatusCode = (int)response.StatusCode;
        if (length > 0 && !HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body.AsMemory(0, length), stop).ConfigureAwait(false);
    }

    private async Task<bool> IsServingAsync(ApplicationProbe probe, HttpContext context, CancellationToken stop)
    {
        if (probe.Timeout is null)
            return false;
        var target = Target(probe);
        var request = HealthCheckRequest.New();
        request.Service = probe.Service;
        var answer = await GrpcClient.CallAsync<HealthCheckResponse>(
            _client, new UriBuilder("http", target.Host, target.Port, "/grpc.health.v1.Health/Check").Uri, request.Message,
            headers => headers.TryAddWithoutValidation("User-Agent", (string?)context.Request.Headers.UserAgent), stop).ConfigureAwait(false);
        return answer.Status == HealthCheckResponse.ServingStatus.Serving;
    }
}
