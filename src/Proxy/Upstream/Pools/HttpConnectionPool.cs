using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Pool of HTTP connections: HTTP/1, HTTP/2, or what ALPN decides (HttpConnPoolImplMixed).</summary>
internal sealed class HttpConnectionPool(
    ClusterLoop owner, HostImpl host, PoolOptions options, TransportSocketOptions? transportOptions)
    : ConnectionPool(owner, host, options, WithAlpn(transportOptions, options.Protocol)), IHttpConnectionPool
{
    private static readonly string[] Http1Alpn = ["http/1.1"];
    private static readonly string[] Http2Alpn = ["h2"];
    private static readonly string[] BothAlpn = ["h2", "http/1.1"];

    Host IHttpConnectionPool.Host => Host;

    public override bool IsHttp => true;

    /// <summary>What was agreed on last, to guess how many streams the next connection will carry.</summary>
    public Http.HttpProtocol? LastProtocol { get; set; }

    protected override bool EnforceMaxRequests => true;

    public IPoolCancellable? NewStream(IResponseDecoder decoder, IHttpPoolCallbacks callbacks, bool canUseEarlyData = false) =>
        NewStream(new AttachContext(decoder, callbacks));

    protected override PoolClient CreateClient() => new HttpPoolClient(this);

    protected override void OnPoolReady(PoolClient client, AttachContext context) =>
        ((HttpPoolClient)client).StartStream(context.Decoder!, (IHttpPoolCallbacks)context.Callbacks);

    protected override void OnPoolFailure(PoolFailureReason reason, string transportFailure, Host? host, AttachContext context) =>
        ((IHttpPoolCallbacks)context.Callbacks).OnPoolFailure(reason, transportFailure, host);

    private static TransportSocketOptions WithAlpn(TransportSocketOptions? options, PoolProtocol protocol) =>
        (options ?? new TransportSocketOptions()) with
        {
            ApplicationProtocolFallback = protocol switch
            {
                PoolProtocol.Http2 => Http2Alpn,
                PoolProtocol.Alpn => BothAlpn,
                _ => Http1Alpn,
            },
        };
}
