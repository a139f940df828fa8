using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>`vhost.name.vcluster.name.*` and `vhost.name.route.prefix.*`: response codes, retries and time-outs.</summary>
internal sealed class VirtualClusterStats
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("upstream_rq_retry", StatKind.Counter),
        ("upstream_rq_retry_limit_exceeded", StatKind.Counter),
        ("upstream_rq_retry_overflow", StatKind.Counter),
        ("upstream_rq_retry_success", StatKind.Counter),
        ("upstream_rq_timeout", StatKind.Counter),
        ("upstream_rq_total", StatKind.Counter),
    ]);

    private readonly StatBlock _block;

    public VirtualClusterStats(IStatsScope scope)
    {
        _block = scope.Block(Layout);
        Codes = new ResponseCodeStats(scope);
    }

    public ResponseCodeStats Codes { get; }

    public void Retry() => _block.Inc(0);

    public void RetryLimitExceeded() => _block.Inc(1);

    public void RetryOverflow() => _block.Inc(2);

    public void RetrySuccess() => _block.Inc(3);

    public void Timeout() => _block.Inc(4);

    public void Total() => _block.Inc(5);
}
