using MeshProxy.Proxy.Observability.OpenTelemetry;
using Opentelemetry.Proto.Collector.Metrics.V1;
using Opentelemetry.Proto.Metrics.V1;
using Opentelemetry.Proto.Resource.V1;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>stat_sinks.open_telemetry.v3.SinkConfig: an export request a flush, or several of a limited size.</summary>
/// <param name="maxPoints">Data points of a request at most; 0 is no limit.</param>
internal sealed class OpenTelemetrySink(OtlpExporter exporter, Resource resource, OtlpMetrics metrics, uint maxPoints) : IStatsSink
{
    public const string Service = "opentelemetry.proto.collector.metrics.v1.MetricsService";

    public void Flush(StatsSnapshot snapshot)
    {
        var limit = maxPoints > 0 ? (int)maxPoints : int.MaxValue;
        var batch = ScopeMetrics.New();
        foreach (var stat in snapshot.Stats)
        {
            if (metrics.Of(snapshot, stat) is not { } metric)
            {
                continue;
            }
            batch.Metrics.Add(metric);
            if (batch.Metrics.Count >= limit)
            {
                Send(batch);
                batch = ScopeMetrics.New();
            }
        }
        if (batch.Metrics.Count > 0)
        {
            Send(batch);
        }
    }

    private void Send(ScopeMetrics batch)
    {
        var group = ResourceMetrics.New();
        group.Resource = resource;
        group.ScopeMetrics.Add(batch);
        var request = ExportMetricsServiceRequest.New();
        request.ResourceMetrics.Add(group);
        exporter.Send(request.Message.ToBytes(), static _ => { });
    }
}
