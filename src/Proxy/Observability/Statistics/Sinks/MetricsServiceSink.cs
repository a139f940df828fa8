using Envoy.Config.Metrics.V3;
using Envoy.Service.Metrics.V3;
using Io.Prometheus.Client;
using MeshProxy.Proxy.Http.Grpc;
using Node = Envoy.Config.Core.V3.Node;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>metrics.v3.MetricsServiceConfig: one stream of metric families; the first message says who we are.</summary>
internal sealed class MetricsServiceSink(GrpcAsyncClient client, Node node, MetricsServiceConfig config)
    : IStatsSink, IGrpcStreamCallbacks
{
    private const string Service = "envoy.service.metrics.v3.MetricsService";
    private const string Method = "StreamMetrics";

    private readonly MetricFamilies _families = new(config);
    private GrpcAsyncStream? _stream;

    public void OnMessage(ReadOnlyMemory<byte> message)
    {
    }

    public void OnClosed(int status, string message) => _stream = null;

    public void Flush(StatsSnapshot snapshot)
    {
        var families = new List<MetricFamily>();
        foreach (var stat in snapshot.Stats)
        {
            _families.Add(snapshot, stat, families);
        }
        var batch = config.BatchSize > 0 ? (int)config.BatchSize : int.MaxValue;
        for (var start = 0; start < families.Count; start += Math.Min(batch, families.Count - start))
        {
            Send(families.GetRange(start, Math.Min(batch, families.Count - start)));
        }
    }

    private void Send(List<MetricFamily> families)
    {
        var message = StreamMetricsMessage.New();
        if (_stream is null)
        {
            var identifier = StreamMetricsMessage.Identifier.New();
            identifier.Node = node;
            message.IdentifierValue = identifier;
            // A stream may end while it is opened: then the callback was called before we hold it.
            _stream = client.Start(Service, Method, this) is { IsOpen: true } opened ? opened : null;
        }
        message.EnvoyMetrics.AddRange(families);
        _stream?.Send(message.Message.ToBytes());
    }
}
