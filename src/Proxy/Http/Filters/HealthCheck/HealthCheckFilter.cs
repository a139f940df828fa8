using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.HealthCheck;

/// <summary>Answers health checks for the server, or passes them on and marks the answers (http-semantics 24.12).</summary>
internal sealed class HealthCheckFilter(HealthCheckSettings settings) : PassThroughFilter
{
    private bool _isHealthCheck;
    private bool _handling;
    private bool _fromCache;
    private int _cachedCode;
    private bool _cachedDegraded;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!HeaderMatcher.MatchAll(settings.Headers, headers))
        {
            return FilterHeadersStatus.Continue;
        }
        _isHealthCheck = true;
        Decoder.StreamInfo.IsHealthCheck = true;
        // Probes are no part of anybody's trace.
        Decoder.ActiveSpan.SetSampled(false);
        if (!settings.PassThrough || settings.Server.Failed)
        {
            _handling = true;
        }
        else if (settings.TryGetCached(Decoder.Loop, out _cachedCode, out _cachedDegraded))
        {
            _handling = _fromCache = true;
        }
        if (!_handling)
        {
            return FilterHeadersStatus.Continue;
        }
        if (endStream)
        {
            Answer();
        }
        return FilterHeadersStatus.StopIteration;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        if (_handling && endStream)
        {
            Answer();
        }
        return _handling ? FilterDataStatus.StopIterationNoBuffer : FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        if (_handling)
        {
            Answer();
        }
        return _handling ? FilterTrailersStatus.StopIteration : FilterTrailersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_isHealthCheck)
        {
            if (!_handling)
            {
                settings.Cache(Encoder.Loop, HeaderUtility.Status(headers), headers.Contains(KnownHeader.EnvoyDegraded));
            }
            headers.Set(KnownHeader.EnvoyUpstreamHealthCheckedCluster, settings.NodeCluster);
        }
        if (settings.Server.Failed)
        {
            headers.Set(KnownHeader.EnvoyImmediateHealthCheckFail, "true"u8);
        }
        return FilterHeadersStatus.Continue;
    }

    private void Answer()
    {
        var (code, details) = Verdict();
        if (code != 200)
        {
            Decoder.StreamInfo.SetFlag(ResponseFlags.FailedLocalHealthCheck);
        }
        Decoder.SendLocalReply(code, default, headers =>
        {
            if (_fromCache && _cachedDegraded)
            {
                headers.Set(KnownHeader.EnvoyDegraded, "true"u8);
            }
        }, null, details);
    }

    private (int Code, string Details) Verdict()
    {
        if (settings.Server.Failed)
        {
            return (503, "health_check_failed");
        }
        if (_fromCache)
        {
            return (_cachedCode, "health_check_cached");
        }
        if (settings.MinHealthy.Count == 0)
        {
            return (200, "health_check_ok");
        }
        return settings.ClustersAreHealthy()
            ? (200, "health_check_ok_cluster_healthy")
            : (503, "health_check_failed_cluster_unhealthy");
    }
}
