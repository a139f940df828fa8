using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network.IstioStats;

/// <summary>One connection: its opening is reported once the peer is known, its bytes now and then, its close with the rest.</summary>
internal sealed class IstioStatsNetworkFilter(IstioStatsSettings settings) : IReadFilter, IConnectionCallbacks
{
    private IReadFilterCallbacks _callbacks = null!;
    private LoopTimer? _report;
    private SeriesSet? _series;
    private long _sent;
    private long _received;
    private bool _closed;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public FilterStatus OnNewConnection()
    {
        if (settings.ReportInterval > TimeSpan.Zero)
        {
            _report = _callbacks.Connection.Loop.CreateTimer(OnReport);
            _report.Arm(settings.ReportInterval);
        }
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => FilterStatus.Continue;

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected || _closed)
        {
            return;
        }
        _closed = true;
        _report?.Disarm();
        Report(ended: true);
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void OnReport()
    {
        Report(ended: false);
        _report!.Arm(settings.ReportInterval);
    }

    private void Report(bool ended)
    {
        var info = _callbacks.StreamInfo;
        if (_series is null)
        {
            // What the server told is in the record of the upstream connection.
            var state = settings.Reporter == IstioReporter.ClientSidecar && info.Upstream is { } upstream
                ? upstream.FilterState : info.FilterState;
            if (!ended && !PeerIsKnown(state))
            {
                return;
            }
            _series = Series(info, state);
            _series.Add(IstioMetric.TcpConnectionsOpenedTotal, 1);
        }
        _series.Add(IstioMetric.TcpSentBytesTotal, info.DownstreamWireBytesSent - _sent);
        _sent = info.DownstreamWireBytesSent;
        _series.Add(IstioMetric.TcpReceivedBytesTotal, info.DownstreamWireBytesReceived - _received);
        _received = info.DownstreamWireBytesReceived;
        if (ended)
        {
            _series.Add(IstioMetric.TcpConnectionsClosedTotal, 1);
            _series.RecordCustom();
        }
    }

    private SeriesSet Series(StreamInfo info, FilterState state)
    {
        var labels = settings.Caches[_callbacks.Connection.Loop.Index].Labels(settings, info, state, null);
        return labels.Series(
            new OutcomeKey(ExchangeKind.Tcp, 0, info.FlagOrder, null,
                ExpressionValues.Evaluate(settings, new LogContext(null, null, null, info))), info);
    }

    private bool PeerIsKnown(FilterState state) =>
        state.Get(settings.Reporter == IstioReporter.ClientSidecar ? WorkloadMetadata.UpstreamPeer : WorkloadMetadata.DownstreamPeer)
            is not null
        || state.Get(WorkloadMetadata.NoPeer) is not null;
}
