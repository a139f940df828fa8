using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using ServerHeader = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.ServerHeaderTransformation;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The response on its way from the filters to the codec.</summary>
internal sealed partial class ActiveStream
{
    public void Encode1xxHeaders(HeaderMap headers)
    {
        SanitizeResponse(headers);
        Charge(HeaderUtility.Status(headers));
        Encoder?.Encode1xxHeaders(headers);
    }

    public void EncodeHeaders(HeaderMap headers, bool endStream)
    {
        ResponseHeaders = headers;
        if (!headers.Contains(KnownHeader.Date))
        {
            headers.Set(KnownHeader.Date, HttpDate.Of(Connection.Loop.UtcNow));
        }
        if (_config.ServerHeader == ServerHeader.Overwrite
            || (_config.ServerHeader == ServerHeader.AppendIfAbsent && !headers.Contains(KnownHeader.Server)))
        {
            headers.Set(KnownHeader.Server, _config.ServerName);
        }
        SanitizeResponse(headers);
        DecideDrain(headers, endStream);
        Charge(HeaderUtility.Status(headers));
        DecorateResponse(headers);
        if (StreamInfo.FirstDownstreamTxByteSent == 0)
        {
            StreamInfo.FirstDownstreamTxByteSent = EventLoop.NowNanoseconds;
        }
        Encoder!.EncodeHeaders(headers, endStream);
        if (_upgraded && _config.FlushAccessLogOnTunnel && IsTunnel(headers))
        {
            Log(AccessLogType.DownstreamTunnelSuccessfullyEstablished);
        }
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        StreamInfo.BytesSent += data.Length;
        Encoder?.EncodeData(data, endStream);
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
        if (trailers.Count > 0)
        {
            Encoder?.EncodeTrailers(trailers);
        }
        else
        {
            // Filters took them all.
            Encoder?.EncodeData(new ByteBuffer(), true);
        }
    }

    /// <summary>The last byte of the response went to the codec.</summary>
    public void EndStream()
    {
        LocalComplete = true;
        _manager.EndStream(this);
    }

    // Ingress tells the client the operation's name; egress takes the one the backend tells.
    private void DecorateResponse(HeaderMap headers)
    {
        if (_config.Tracing is not { } tracing)
        {
            return;
        }
        if (!tracing.IsEgress)
        {
            if (_decorator is { Propagate: true } decorator)
            {
                headers.Set(KnownHeader.EnvoyDecoratorOperation, decorator.Operation);
            }
            return;
        }
        if (headers.GetString(KnownHeader.EnvoyDecoratorOperation) is { } told)
        {
            if (told.Length > 0)
            {
                ActiveSpan.SetOperation(told);
            }
            headers.Remove(KnownHeader.EnvoyDecoratorOperation);
        }
    }

    private void SanitizeResponse(HeaderMap headers)
    {
        if (RequestHeaders is { } request && HeaderTokens.IsUpgrade(request) && HeaderTokens.IsUpgrade(headers))
        {
            // A granted upgrade keeps its hop-by-hop headers; 1xx must not have a length (RFC 9110 8.6).
            var noBody = !headers.Contains(KnownHeader.TransferEncoding) && !headers.Contains(KnownHeader.ContentLength);
            if (noBody && HeaderUtility.Status(headers) is < 100 or >= 200)
            {
                headers.Set(KnownHeader.ContentLength, 0);
            }
        }
        else
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
        }
        headers.Remove(KnownHeader.TransferEncoding);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        if (RequestHeaders is { } asked
            && (_config.AlwaysSetRequestIdInResponse || asked.Contains(KnownHeader.EnvoyForceTrace)))
        {
            RequestIdExtension.SetInResponse(headers, asked);
        }
        if (_config.Via.Length > 0)
        {
            RequestHeaderSanitizer.AppendVia(headers, _config.Via);
        }
        _config.ProxyStatus?.Apply(headers, StreamInfo);
    }

    private void DecideDrain(HeaderMap headers, bool endStream)
    {
        if (_manager.Drain == HttpConnectionManager.DrainState.NotDraining && _config.Drain.DrainClose)
        {
            _manager.StartDrainSequence();
            _stats.Inc(HttpManagerStat.DownstreamCxDrainClose);
        }
        if (_config.DisableKeepAlive.Takes())
        {
            if (!_manager.IsHttp2)
            {
                SawConnectionClose = true;
            }
            else
            {
                _manager.StartDrainSequence();
            }
            _stats.Inc(HttpManagerStat.DownstreamCxOverloadDisableKeepalive);
        }
        if ((SawConnectionClose || _manager.SoftDrainHttp1) && !_manager.IsHttp2)
        {
            _manager.CloseAfterStreams();
        }
        else if (SawConnectionClose)
        {
            _manager.StartDrainSequence();
        }
        // An HTTP/1.0 body without length ends with the connection (RFC 9112 6.3).
        if (_manager.Protocol == HttpProtocol.Http10 && !endStream && !headers.Contains(KnownHeader.ContentLength))
        {
            _manager.CloseAfterStreams();
        }
        if (!RemoteComplete)
        {
            // HTTP/1 would have to read the rest of the request before the next: closing is cheaper and safer.
            if (!_manager.IsHttp2)
            {
                _manager.CloseAfterStreams();
            }
            _stats.Inc(HttpManagerStat.DownstreamRqResponseBeforeRqComplete);
        }
        if (_manager.Drain != HttpConnectionManager.DrainState.NotDraining && !_manager.IsHttp2 && !IsTunnel(headers))
        {
            headers.Set(KnownHeader.Connection, "close"u8);
        }
        else if (_manager.Protocol == HttpProtocol.Http10 && !IsTunnel(headers))
        {
            headers.Set(KnownHeader.Connection, "keep-alive"u8);
        }
    }

    // Behind these headers no HTTP follows.
    private bool IsTunnel(HeaderMap headers)
    {
        if (!_upgraded)
        {
            return false;
        }
        var status = HeaderUtility.Status(headers);
        return status == 101 || (status is >= 200 and < 300 && RequestHeaders!.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8));
    }

    private void Charge(int code)
    {
        StreamInfo.ResponseCode = code;
        if (StreamInfo.IsHealthCheck || StreamInfo.ResponseCodeDetails == ResponseCodeDetails.InternalRedirect)
        {
            return;
        }
        _stats.Inc(HttpManagerStat.DownstreamRqCompleted);
        _config.ListenerStats.Inc(0);
        if (code is >= 100 and < 600)
        {
            _stats.Inc(HttpManagerStat.DownstreamRq1xx + ((code / 100) - 1));
            _config.ListenerStats.Inc(code / 100);
        }
    }
}
