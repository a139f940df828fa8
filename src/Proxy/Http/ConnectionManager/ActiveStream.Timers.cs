using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The time limits of a stream (http-semantics 19).</summary>
internal sealed partial class ActiveStream
{
    private LoopTimer? _idleTimer;
    private LoopTimer? _requestTimer;
    private LoopTimer? _headersTimer;
    private LoopTimer? _durationTimer;
    private LoopTimer? _logTimer;
    private TimeSpan _idleTimeout;

    public void DisarmRequestTimeout() => _requestTimer?.Disarm();

    public void ResetIdleTimer()
    {
        if (_idleTimeout > TimeSpan.Zero)
        {
            _idleTimer?.Arm(_idleTimeout);
        }
    }

    public void StopTimers()
    {
        _idleTimer?.Disarm();
        _requestTimer?.Disarm();
        _headersTimer?.Disarm();
        _durationTimer?.Disarm();
        _logTimer?.Disarm();
        _idleTimeout = TimeSpan.Zero;
    }

    private void StartTimers()
    {
        var loop = Connection.Loop;
        _idleTimeout = _config.StreamIdleTimeout;
        if (_idleTimeout > TimeSpan.Zero)
        {
            _idleTimer = loop.CreateTimer(static stream => ((ActiveStream)stream!).OnIdleTimeout(), this);
            _idleTimer.Arm(_idleTimeout);
        }
        if (_config.RequestTimeout > TimeSpan.Zero)
        {
            _requestTimer = loop.CreateTimer(static stream => ((ActiveStream)stream!).OnRequestTimeout(), this);
            _requestTimer.Arm(_config.RequestTimeout);
        }
        if (_config.RequestHeadersTimeout > TimeSpan.Zero)
        {
            _headersTimer = loop.CreateTimer(static stream => ((ActiveStream)stream!).OnHeadersTimeout(), this);
            _headersTimer.Arm(_config.RequestHeadersTimeout);
        }
        if (_config.MaxStreamDuration > TimeSpan.Zero)
        {
            _durationTimer = loop.CreateTimer(static stream => ((ActiveStream)stream!).OnMaxDuration(), this);
            _durationTimer.Arm(_config.MaxStreamDuration);
        }
        if (_config.AccessLogFlushInterval > TimeSpan.Zero)
        {
            _logTimer = loop.CreateTimer(static stream => ((ActiveStream)stream!).OnLogInterval(), this);
            _logTimer.Arm(_config.AccessLogFlushInterval);
        }
    }

    private void OnLogInterval()
    {
        Log(Observability.AccessLogType.DownstreamPeriodic);
        _logTimer!.Arm(_config.AccessLogFlushInterval);
    }

    private void RefreshIdleTimeout(RouteActionEntry action)
    {
        if (action.IdleTimeout is { } idle)
        {
            _idleTimeout = idle;
            Encoder?.Stream.SetFlushTimeout(action.FlushTimeout ?? idle);
            if (idle > TimeSpan.Zero)
            {
                _idleTimer ??= Connection.Loop.CreateTimer(static stream => ((ActiveStream)stream!).OnIdleTimeout(), this);
                _idleTimer.Arm(idle);
            }
            else
            {
                _idleTimer?.Disarm();
            }
        }
        else if (action.FlushTimeout is { } flush)
        {
            Encoder?.Stream.SetFlushTimeout(flush);
        }
    }

    private void RefreshDurationTimeout(RouteActionEntry action)
    {
        var limit = DurationLimit(action);
        if (limit is not { } timeout)
        {
            _durationTimer?.Disarm();
            return;
        }
        var used = TimeSpan.FromMilliseconds((EventLoop.NowNanoseconds - StreamInfo.StartNanoseconds) / 1_000_000);
        _durationTimer ??= Connection.Loop.CreateTimer(static stream => ((ActiveStream)stream!).OnMaxDuration(), this);
        _durationTimer.Arm(timeout > used ? timeout - used : TimeSpan.Zero);
    }

    // Null is no limit.
    private TimeSpan? DurationLimit(RouteActionEntry action)
    {
        if (action.GrpcTimeoutHeaderMax is { } max && RequestHeaders is { } headers && GrpcCommon.Timeout(headers) is { } asked)
        {
            var timeout = max > TimeSpan.Zero && asked > max ? max : asked;
            if (timeout > TimeSpan.Zero && action.GrpcTimeoutHeaderOffset is { } offset)
            {
                timeout = offset < timeout ? timeout - offset : TimeSpan.Zero;
            }
            GrpcCommon.SetTimeout(headers, timeout);
            return timeout;
        }
        var duration = action.MaxStreamDuration ?? _config.MaxStreamDuration;
        return duration > TimeSpan.Zero ? duration : null;
    }

    private void OnIdleTimeout()
    {
        _stats.Inc(HttpManagerStat.DownstreamRqIdleTimeout);
        StreamInfo.SetFlag(Observability.ResponseFlags.StreamIdleTimeout);
        SendTimeoutReply("stream timeout"u8, null, ResponseCodeDetails.StreamIdleTimeout);
    }

    private void OnRequestTimeout()
    {
        _stats.Inc(HttpManagerStat.DownstreamRqTimeout);
        SendTimeoutReply("request timeout"u8, null, ResponseCodeDetails.RequestOverallTimeout);
    }

    private void OnHeadersTimeout()
    {
        _stats.Inc(HttpManagerStat.DownstreamRqHeaderTimeout);
        SendTimeoutReply("request header timeout"u8, null, ResponseCodeDetails.RequestHeaderTimeout);
    }

    private void OnMaxDuration()
    {
        _stats.Inc(HttpManagerStat.DownstreamRqMaxDurationReached);
        SendTimeoutReply("downstream duration timeout"u8, GrpcStatus.DeadlineExceeded, ResponseCodeDetails.MaxDurationTimeout);
    }

    // 408 while the client still owed us its request, 504 when we owe the answer.
    private void SendTimeoutReply(ReadOnlySpan<byte> body, int? grpcStatus, string details) =>
        Filters.SendLocalReply(RemoteComplete ? 504 : 408, body, null, grpcStatus, details);
}
