using System.Text;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Security.Jwt;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtProvider;
using DataSource = MeshProxy.Proxy.Configuration.DataSource;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>The keys of a provider: given in configuration, or fetched and kept for a while. Keys fetched by one loop serve all.</summary>
internal sealed class JwtKeySource
{
    /// <summary>Envoy's default of cache_duration: 10 min.</summary>
    private static readonly TimeSpan DefaultCacheDuration = TimeSpan.FromMinutes(10);

    /// <summary>Envoy's default of failed_refetch_duration: 1 s.</summary>
    private static readonly TimeSpan DefaultFailedRefetch = TimeSpan.FromSeconds(1);

    /// <summary>How often it is looked whether a cluster has come that fetching ahead needs.</summary>
    private static readonly TimeSpan ClusterPoll = TimeSpan.FromMilliseconds(50);

    private const int ClusterPolls = 40;

    private readonly RemoteJwks? _remote;
    private readonly IClusterManager? _clusters;
    private readonly JwtStats _stats;
    private readonly TimeSpan _cacheDuration;
    private readonly RetryPolicy? _retry;
    private readonly byte[] _host = [];
    private readonly byte[] _path = [];
    private readonly byte[] _scheme = "http"u8.ToArray();
    private volatile Keys? _keys;

    private JwtKeySource(JsonWebKeySet keys, JwtStats stats)
    {
        _keys = new Keys(keys, long.MaxValue);
        _stats = stats;
    }

    private JwtKeySource(RemoteJwks remote, FactoryContext context, JwtStats stats)
    {
        _remote = remote;
        _clusters = context.Clusters;
        _stats = stats;
        _cacheDuration = remote.CacheDuration ?? DefaultCacheDuration;
        // The conditions under which Envoy retries a fetch are fixed.
        _retry = remote.RetryPolicy is { } retry ? CoreRetryPolicy.ToRoute(retry, CoreRetryPolicy.DefaultRetryOn) : null;
        var uri = remote.HttpUri ?? throw new ConfigurationException("remote_jwks.http_uri is required.");
        (_scheme, _host, _path) = HttpUriParts.Split(uri.Uri);
    }

    /// <summary>Keys known now; null when they must be fetched first.</summary>
    public JsonWebKeySet? Current => _keys is { } keys && keys.Until > EventLoop.NowNanoseconds ? keys.Set : null;

    public static JwtKeySource Compile(string provider, Config config, FactoryContext context, JwtStats stats)
    {
        if (config.LocalJwks is { } local)
        {
            var status = JsonWebKeySet.Parse(DataSource.Read(local, int.MaxValue, $"providers[{provider}].local_jwks"), out var keys);
            return status == JwtStatus.Ok ? new JwtKeySource(keys, stats) : throw new ConfigurationException(
                $"Provider '{provider}' in jwt_authn config has invalid local jwks: {JwtStatusText.Of(status)}");
        }
        if (config.RemoteJwks is not { } remote)
        {
            throw new ConfigurationException($"providers[{provider}]: local_jwks or remote_jwks is required.");
        }
        var source = new JwtKeySource(remote, context, stats);
        if (remote.AsyncFetch is { } ahead)
        {
            source.FetchAhead(ahead, context);
        }
        return source;
    }

    /// <summary>Fetches on the calling loop; <paramref name="done"/> gets the keys, or null when that failed. Disposing cancels.</summary>
    public IDisposable Fetch(Action<JsonWebKeySet?> done)
    {
        var call = new FetchCall(this, done);
        if (_clusters!.AsyncClient(_remote!.Value.HttpUri!.Value.Cluster) is not { } client)
        {
            call.OnFailure("unknown cluster");
            return call;
        }
        var headers = HeaderMap.Rent();
        headers.Set(KnownHeader.Method, "GET"u8);
        headers.Set(KnownHeader.Path, _path);
        headers.Set(KnownHeader.Authority, _host);
        headers.Set(KnownHeader.Scheme, _scheme);
        var options = new AsyncRequestOptions { Timeout = _remote.Value.HttpUri!.Value.Timeout ?? TimeSpan.Zero, RetryPolicy = _retry };
        call.Request = client.Send(headers, default, options, call);
        return call;
    }

    private void FetchAhead(JwksAsyncFetch config, FactoryContext context)
    {
        var ready = config.FastListener ? static () => { } : context.Init.Register();
        var again = config.FailedRefetchDuration ?? DefaultFailedRefetch;
        var polls = 0;
        LoopTimer? timer = null;
        void Run()
        {
            if (polls++ < ClusterPolls && _clusters!.Get(_remote!.Value.HttpUri!.Value.Cluster) is null)
            {
                timer!.Arm(ClusterPoll);
                return;
            }
            Fetch(keys =>
            {
                ready();
                timer!.Arm(keys is null ? again : _cacheDuration);
            });
        }
        context.MainLoop.Post(() =>
        {
            timer = context.MainLoop.CreateTimer(Run);
            Run();
        });
    }

    private void Keep(JsonWebKeySet keys) =>
        _keys = new Keys(keys, EventLoop.NowNanoseconds + (long)(_cacheDuration.TotalMilliseconds * 1_000_000));

    private sealed record Keys(JsonWebKeySet Set, long Until);

    private sealed class FetchCall(JwtKeySource owner, Action<JsonWebKeySet?> done) : IAsyncRequestCallbacks, IDisposable
    {
        private bool _ended;

        public IAsyncRequest? Request { get; set; }

        public void OnSuccess(HeaderMap responseHeaders, ByteBuffer body, HeaderMap? trailers)
        {
            if (responseHeaders.Get(KnownHeader.Status).SequenceEqual("200"u8)
                && JsonWebKeySet.Parse(body.ToArray(), out var keys) == JwtStatus.Ok)
            {
                owner._stats.FetchSuccess.Inc();
                owner.Keep(keys);
                End(keys);
                return;
            }
            OnFailure("no keys");
        }

        public void OnFailure(string reason)
        {
            owner._stats.FetchFailed.Inc();
            End(null);
        }

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                Request?.Cancel();
            }
        }

        private void End(JsonWebKeySet? keys)
        {
            if (!_ended)
            {
                _ended = true;
                done(keys);
            }
        }
    }
}
