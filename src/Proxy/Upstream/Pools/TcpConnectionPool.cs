using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Pool of TCP connections: each serves one downstream connection.</summary>
internal sealed class TcpConnectionPool(
    ClusterLoop owner, HostImpl host, PoolOptions options, TransportSocketOptions? transportOptions)
    : ConnectionPool(owner, host, options, transportOptions), ITcpConnectionPool
{
    Host ITcpConnectionPool.Host => Host;

    public override bool IsHttp => false;

    protected override bool EnforceMaxRequests => false;

    public IPoolCancellable? NewConnection(ITcpPoolCallbacks callbacks) => NewStream(new AttachContext(null, callbacks));

    public override void PrepareConnection(Connection connection) => connection.HalfCloseEnabled = true;

    protected override PoolClient CreateClient() => new TcpPoolClient(this);

    protected override void OnPoolReady(PoolClient client, AttachContext context) =>
        ((TcpPoolClient)client).Hand((ITcpPoolCallbacks)context.Callbacks);

    protected override void OnPoolFailure(PoolFailureReason reason, string transportFailure, Host? host, AttachContext context) =>
        ((ITcpPoolCallbacks)context.Callbacks).OnPoolFailure(reason, transportFailure, host);
}
