using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Network.ExtAuthz;

/// <summary>Asks when the first bytes come: by then TLS and the listener filters have told what they know.</summary>
internal sealed class ExtAuthzNetworkFilter(ExtAuthzNetworkConfig config) : IReadFilter, IConnectionCallbacks, IAuthorizationCallbacks
{
    private const string Namespace = "envoy.filters.network.ext_authz";
    private const string CloseReason = "ext_authz_close";

    private IReadFilterCallbacks _callbacks = null!;
    private IAsyncRequest? _call;
    private State _state;
    private long _started;
    private bool _calling;

    private enum State
    {
        NotAsked,
        Waiting,
        Allowed,
        Closed,
    }

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (_state == State.NotAsked)
        {
            if (!config.IsEnabled(_callbacks.StreamInfo))
            {
                config.Stats.Inc(ExtAuthzNetworkConfig.Disabled);
                return FilterStatus.Continue;
            }
            Ask();
        }
        return _state == State.Allowed ? FilterStatus.Continue : FilterStatus.StopIteration;
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent != ConnectionEvent.Connected && _state == State.Waiting)
        {
            _state = State.Closed;
            _call?.Cancel();
            config.Stats.Dec(ExtAuthzNetworkConfig.Active);
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    public void OnComplete(CheckResult result)
    {
        config.Stats.Dec(ExtAuthzNetworkConfig.Active);
        config.Stats.Inc(result.Status switch
        {
            CheckStatus.Ok => ExtAuthzNetworkConfig.Ok,
            CheckStatus.Denied => ExtAuthzNetworkConfig.Denied,
            _ => ExtAuthzNetworkConfig.Error,
        });
        TakeMetadata(result);
        if (config.ShadowKey is { } key)
        {
            var code = result.Status == CheckStatus.Ok ? 0 : result.StatusCode;
            _callbacks.StreamInfo.FilterState.Set(key, new ShadowDecision(result.Status, code), FilterStateLifeSpan.Connection);
            Continue();
            return;
        }
        if (result.Status == CheckStatus.Denied || (result.Status == CheckStatus.Error && !config.FailureModeAllow))
        {
            Close(result.Status);
            return;
        }
        if (result.Status == CheckStatus.Error)
        {
            config.Stats.Inc(ExtAuthzNetworkConfig.FailureModeAllowed);
        }
        Continue();
    }

    private void Ask()
    {
        _state = State.Waiting;
        config.Stats.Inc(ExtAuthzNetworkConfig.Total);
        config.Stats.Inc(ExtAuthzNetworkConfig.Active);
        _started = EventLoop.NowNanoseconds;
        var info = _callbacks.StreamInfo;
        var request = CheckRequests.ForConnection(_callbacks.Connection, config.Contents, config.ContextOf(info));
        _calling = true;
        _call = config.Client.Check(request, new CheckContext(info, null, null), this);
        _calling = false;
    }

    private void Continue()
    {
        _state = State.Allowed;
        if (!_calling)
        {
            _callbacks.ContinueReading();
        }
    }

    private void Close(CheckStatus status)
    {
        _state = State.Closed;
        config.Stats.Inc(ExtAuthzNetworkConfig.ConnectionsClosed);
        var info = _callbacks.StreamInfo;
        info.SetFlag(ResponseFlags.UnauthorizedExternalService);
        info.ResponseCodeDetails = status == CheckStatus.Denied ? ResponseCodeDetails.ExtAuthzDenied : ResponseCodeDetails.ExtAuthzError;
        _callbacks.Connection.Close(ConnectionCloseType.NoFlush, CloseReason);
    }

    private void TakeMetadata(CheckResult result)
    {
        var metadata = _callbacks.StreamInfo.DynamicMetadata;
        metadata.Set(Namespace, result.DynamicMetadata);
        if (result.Status == CheckStatus.Ok)
        {
            metadata.Set(Namespace, "ext_authz_duration",
                MetadataValue.From((double)((EventLoop.NowNanoseconds - _started) / 1_000_000)));
        }
    }
}
