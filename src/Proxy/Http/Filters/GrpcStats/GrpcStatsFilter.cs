using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>Counts gRPC requests by status and their messages.</summary>
internal sealed class GrpcStatsFilter(GrpcStatsSettings settings) : PassThroughFilter
{
    private GrpcMethodStats? _stats;
    private GrpcStatsObject? _object;
    private GrpcFrameCounter _requests;
    private GrpcFrameCounter _responses;
    private bool _isGrpcRequest;
    private bool _isGrpcResponse;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _isGrpcRequest = GrpcCommon.IsGrpcRequest(headers);
        if (_isGrpcRequest && Decoder.ClusterInfo is { } cluster)
        {
            _stats = settings.For(cluster, headers.Get(KnownHeader.Path));
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        if (_isGrpcRequest)
        {
            var before = _requests.Count;
            if (_requests.Inspect(data))
            {
                _stats?.CountRequests(_requests.Count - before);
                Publish();
            }
        }
        return FilterDataStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        _isGrpcResponse = endStream
            ? headers.Contains(KnownHeader.GrpcStatus)
            : HeaderUtility.Status(headers) == 200 && GrpcCommon.IsGrpcRequest(headers);
        if (endStream)
        {
            Finish(headers);
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream)
    {
        if (_isGrpcRequest && _isGrpcResponse)
        {
            var before = _responses.Count;
            if (_responses.Inspect(data))
            {
                _stats?.CountResponses(_responses.Count - before);
                Publish();
            }
        }
        return FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers)
    {
        Finish(trailers);
        return FilterTrailersStatus.Continue;
    }

    private void Finish(HeaderMap headers)
    {
        if (_stats is null || !_isGrpcResponse || headers.GetString(KnownHeader.GrpcStatus) is not { } status)
        {
            return;
        }
        _stats.CountStatus(status);
        if (settings.UpstreamTimes && Encoder.StreamInfo.Upstream is { FirstTxByteSent: > 0, LastRxByteReceived: > 0 } upstream)
        {
            _stats.RecordTime((upstream.LastRxByteReceived - upstream.FirstTxByteSent) / 1e6);
        }
    }

    private void Publish()
    {
        if (!settings.EmitFilterState)
        {
            return;
        }
        if (_object is null)
        {
            _object = new GrpcStatsObject();
            Decoder.StreamInfo.FilterState.Set(GrpcStatsObject.Key, _object);
        }
        _object.Requests = _requests.Count;
        _object.Responses = _responses.Count;
    }
}
