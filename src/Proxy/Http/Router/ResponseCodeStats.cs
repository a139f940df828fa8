using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// `upstream_rq_completed`, `upstream_rq_Nxx`, `upstream_rq_NNN` and `upstream_rq_time` under one scope, each made when it first
/// counts (Envoy's CodeStatsImpl).
/// </summary>
internal sealed class ResponseCodeStats(IStatsScope scope, string prefix = "")
{
    private const int Codes = 1000;

    private readonly Counter?[] _codes = new Counter?[Codes];
    private readonly Counter?[] _classes = new Counter?[6];
    private Counter? _completed;
    private Counter? _unknown;
    private Histogram? _time;

    public void Charge(int code)
    {
        (_completed ??= scope.Counter($"{prefix}upstream_rq_completed")).Inc();
        if (code is >= 100 and < 600)
        {
            (_classes[code / 100] ??= scope.Counter($"{prefix}upstream_rq_{code / 100}xx")).Inc();
        }
        if (code is >= 0 and < Codes)
        {
            (_codes[code] ??= scope.Counter($"{prefix}upstream_rq_{code}")).Inc();
        }
        else
        {
            (_unknown ??= scope.Counter($"{prefix}upstream_rq_unknown")).Inc();
        }
    }

    public void RecordTime(double milliseconds) => (_time ??= scope.Histogram($"{prefix}upstream_rq_time")).Record(milliseconds);
}
