using MeshProxy.Proxy.Http.Filters.GrpcStats;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.IstioStats;

/// <summary>One request: counted at its end, its gRPC messages also while it lasts.</summary>
internal sealed class IstioStatsFilter(IstioStatsSettings settings) : PassThroughFilter, IAccessLog
{
    private bool _isGrpc;
    private LoopTimer? _report;
    private PeerLabels? _labels;
    private SeriesSet? _messages;
    private ulong _requestMessages;
    private ulong _responseMessages;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _isGrpc = GrpcCommon.IsGrpcRequest(headers);
        if (_isGrpc && settings.ReportInterval > TimeSpan.Zero)
        {
            _report = Decoder.Loop.CreateTimer(OnReport);
            _report.Arm(settings.ReportInterval);
        }
        return FilterHeadersStatus.Continue;
    }

    public override void OnDestroy() => _report?.Disarm();

    /// <summary>The end of the request, after everything is known of it.</summary>
    public void Log(in LogContext context)
    {
        if (context.Type != AccessLogType.DownstreamEnd)
        {
            return;
        }
        _report?.Disarm();
        var info = context.StreamInfo;
        _labels ??= Labels(info, context.RequestHeaders);
        ReportMessages(info);
        var outcome = new OutcomeKey(
            _isGrpc ? ExchangeKind.Grpc : ExchangeKind.Http, info.ResponseCode, info.FlagOrder, GrpcStatus(context),
            ExpressionValues.Evaluate(settings, context));
        var series = _labels.Series(outcome, info);
        series.Add(IstioMetric.RequestsTotal, 1);
        if (info.RequestComplete != 0)
        {
            series.Record(IstioMetric.RequestDurationMilliseconds, (info.RequestComplete - info.StartNanoseconds) / 1_000_000);
        }
        series.Record(IstioMetric.RequestBytes, info.DownstreamWireBytesReceived);
        series.Record(IstioMetric.ResponseBytes, info.DownstreamWireBytesSent);
        series.RecordCustom();
    }

    private void OnReport()
    {
        var info = Decoder.StreamInfo;
        // Before the peer is known its labels would be wrong; the end of the request waits for nobody.
        if (_labels is null && PeerIsKnown(info.FilterState))
        {
            _labels = Labels(info, Decoder.RequestHeaders);
        }
        if (_labels is not null)
        {
            ReportMessages(info);
        }
        _report!.Arm(settings.ReportInterval);
    }

    private void ReportMessages(StreamInfo info)
    {
        if (!_isGrpc || info.FilterState.Get<GrpcStatsObject>(GrpcStatsObject.Key) is not { } counts)
        {
            return;
        }
        // Messages are reported before headers of the response are known, so no expression sees headers.
        _messages ??= _labels!.Series(
            new OutcomeKey(ExchangeKind.GrpcMessages, 0, 0, null,
                ExpressionValues.Evaluate(settings, new LogContext(null, null, null, info))), info);
        _messages.Add(IstioMetric.RequestMessagesTotal, (long)(counts.Requests - _requestMessages));
        _messages.Add(IstioMetric.ResponseMessagesTotal, (long)(counts.Responses - _responseMessages));
        _requestMessages = counts.Requests;
        _responseMessages = counts.Responses;
    }

    private PeerLabels Labels(StreamInfo info, HeaderMap? requestHeaders) =>
        settings.Caches[Decoder.Loop.Index].Labels(settings, info, info.FilterState, requestHeaders);

    private bool PeerIsKnown(FilterState state) =>
        state.Get(settings.Reporter == IstioReporter.ClientSidecar ? WorkloadMetadata.UpstreamPeer : WorkloadMetadata.DownstreamPeer)
            is not null
        || state.Get(WorkloadMetadata.NoPeer) is not null;

    private long? GrpcStatus(in LogContext context)
    {
        if (!_isGrpc)
        {
            return null;
        }
        if ((GrpcCommon.Status(context.ResponseTrailers) ?? GrpcCommon.Status(context.ResponseHeaders)) is { } given)
        {
            return given;
        }
        var code = context.StreamInfo.ResponseCode;
        return code == 0 ? null : GrpcStatusNames.FromHttp(code);
    }
}
