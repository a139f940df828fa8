using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshProxy.Agent.Configuration;

namespace MeshProxy.Agent.Discovery;

/// <summary>The way to istiod: address, trust, and what proves who we are.</summary>
internal sealed class IstiodConnection : IDisposable
{
    private const string TokenFile = "./var/run/secrets/tokens/istio-token";
    private const string MountedRoot = "./var/run/secrets/istio/root-cert.pem";

    // istiod closes connections that ping more often than every 15 s; pilot-agent pings at this pace.
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);
    private const int Window = 1024 * 1024;

    private readonly string _kind;
    private readonly AgentEnvironment _environment;
    private readonly bool _isPlain;
    private readonly string _rootFile;

    /// <param name="kind">`XDS` or `CA`: the prefix of the variables that are about it.</param>
    /// <param name="address">HOST:PORT.</param>
    /// <param name="isPlain">Whether without TLS, and therefore without a token.</param>
    /// <param name="environment">The agent's.</param>
    public IstiodConnection(string kind, string address, bool isPlain, AgentEnvironment environment)
    {
        (_kind, _environment, _isPlain) = (kind, environment, isPlain);
        _rootFile = environment.Text(kind + "_ROOT_CA", MountedRoot);
        Address = address;
        // The name that its certificate must have stands in the URL, which is what HttpClient verifies; the way goes by address.
        var place = new Uri($"{(isPlain ? "http" : "https")}://{address}");
        Base = new UriBuilder(place) { Host = environment.Text("ISTIOD_SAN", NodeMetadata.HostOf(address)) }.Uri;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = Window,
            ConnectCallback = (_, stop) => ConnectAsync(new DnsEndPoint(place.DnsSafeHost, place.Port), stop),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors);
        Client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>HOST:PORT, as configured.</summary>
    public string Address { get; }

    public Uri Base { get; }

    public HttpClient Client { get; }

    /// <summary>What goes with each call. The token is read anew: the kubelet replaces it.</summary>
    public IEnumerable<(string Name, string Value)> Headers()
    {
        if (!_isPlain && File.Exists(TokenFile))
            yield return ("authorization", "Bearer " + File.ReadAllText(TokenFile).Trim());
        if (_environment.Find("ISTIO_META_CLUSTER_ID") is { } cluster)
            yield return ("clusterid", cluster);
        foreach (var (name, value) in _environment.StartingWith(_kind + "_HEADER_"))
            yield return (name, value);
    }

    public void Dispose() => Client.Dispose();

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint place, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(place, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool IsTrusted(X509Certificate? certificate, X509Chain? received, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return false;
        if (_rootFile == "SYSTEM")
            return errors == SslPolicyErrors.None;
        using var chain = new X509Chain();
        try
        {
            // Read for each connection: istiod's root changes in place.
            chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(_rootFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return false;
        }
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (received is not null)
            chain.ChainPolicy.ExtraStore.AddRange(received.ChainPolicy.ExtraStore);
        return chain.Build(new X509Certificate2(certificate));
    }
}
