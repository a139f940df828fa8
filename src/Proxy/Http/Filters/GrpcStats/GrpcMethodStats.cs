using System.Globalization;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>`cluster.name.grpc.[service.method.]*`; each is made when it first counts.</summary>
internal sealed class GrpcMethodStats(IStatsScope scope, string prefix)
{
    private Counter? _total;
    private Counter? _success;
    private Counter? _failure;
    private Counter? _requests;
    private Counter? _responses;
    private Histogram? _time;

    public void CountStatus(string status)
    {
        scope.Counter($"{prefix}{status}").Inc();
        (_total ??= scope.Counter($"{prefix}total")).Inc();
        if (int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code == 0)
        {
            (_success ??= scope.Counter($"{prefix}success")).Inc();
        }
        else
        {
            (_failure ??= scope.Counter($"{prefix}failure")).Inc();
        }
    }

    public void CountRequests(ulong messages) => Count(ref _requests, "request_message_count", messages);

    public void CountResponses(ulong messages) => Count(ref _responses, "response_message_count", messages);

    public void RecordTime(double milliseconds) => (_time ??= scope.Histogram($"{prefix}upstream_rq_time")).Record(milliseconds);

    private void Count(ref Counter? counter, string name, ulong messages)
    {
        if (messages > 0)
        {
            (counter ??= scope.Counter($"{prefix}{name}")).Add((long)messages);
        }
    }
}
