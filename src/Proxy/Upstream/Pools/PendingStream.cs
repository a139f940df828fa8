using MeshProxy.Proxy.Http.Codec;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Who asked for a stream or connection.</summary>
/// <param name="Decoder">Null in TCP pools.</param>
/// <param name="Callbacks">IHttpPoolCallbacks or ITcpPoolCallbacks, as the pool is.</param>
internal readonly record struct AttachContext(IResponseDecoder? Decoder, object Callbacks);

/// <summary>A request that waits for a connection.</summary>
internal sealed class PendingStream(ConnectionPool pool, AttachContext context) : IPoolCancellable
{
    public AttachContext Context { get; } = context;

    public LinkedListNode<PendingStream>? Node { get; set; }

    public void Cancel(bool closeExcess) => pool.CancelPending(this, closeExcess);
}
