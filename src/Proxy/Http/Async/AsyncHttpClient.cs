using System.Runtime.CompilerServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using RetryPolicy = MeshProxy.Proxy.Http.Router.RetryPolicy;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>The proxy's own calls to a cluster, through the router (Envoy's AsyncClientImpl).</summary>
internal sealed class AsyncHttpClient(string cluster, RouterConfig router) : IAsyncHttpClient
{
    private static readonly ConditionalWeakTable<Message, RetryPolicy> Policies = [];

    private readonly VirtualHostEntry _host = EmptyHost();

    public string Cluster => cluster;

    /// <summary>The router of all asynchronous clients of a server: `http.async-client.*`.</summary>
    public static RouterConfig RouterFor(IClusterManager clusters, IRuntime runtime, IStatsScope serverScope, string zone) => new()
    {
        Stats = serverScope.Scope("http.async-client").Block(RouterConfig.StatLayout),
        Clusters = clusters,
        Runtime = runtime,
        Zone = zone,
        IsShadow = true,
    };

    public IAsyncRequest? Send(HeaderMap headers, ReadOnlySpan<byte> body, AsyncRequestOptions options, IAsyncRequestCallbacks callbacks)
    {
        var request = new AsyncHttpRequest(callbacks, options.MaxResponseBytes);
        var stream = new AsyncHttpStream(this, router, options, request, request);
        request.Stream = stream;
        if (body.IsEmpty)
        {
            stream.SendHeaders(headers, true);
        }
        else
        {
            headers.Set(KnownHeader.ContentLength, body.Length);
            stream.SendHeaders(headers, false);
            if (!request.Done)
            {
                var data = new ByteBuffer();
                data.Append(body);
                stream.SendData(data, true);
            }
        }
        return request.Done ? null : request;
    }

    public IAsyncStream? Start(AsyncRequestOptions options, IResponseDecoder decoder, IAsyncStreamCallbacks callbacks) =>
        new AsyncHttpStream(this, router, options, decoder, callbacks);

    /// <summary>A route to the cluster with the time-out and retries of one call.</summary>
    public RouteEntry RouteFor(AsyncRequestOptions options) =>
        new RouteEntry(Envoy.Config.Route.V3.Route.New(), _host, RouteMatch.Everything, PerFilterConfigs.Empty)
        {
            Action = new RouteActionEntry
            {
                Clusters = ClusterChoice.Fixed.Instance,
                Timeout = options.Timeout,
                Retry = options.RetryPolicy is { } policy
                    ? Policies.GetValue(policy.Message, _ => RetryPolicy.Compile(policy, "retry_policy"))
                    : RetryPolicy.None,
            },
        }.Complete(cluster, [], [], null);

    private static VirtualHostEntry EmptyHost() =>
        new(Envoy.Config.Route.V3.VirtualHost.New(), new RouteTable("", "", false, false), PerFilterConfigs.Empty, null);
}
