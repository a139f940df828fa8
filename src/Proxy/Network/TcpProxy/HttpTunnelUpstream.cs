using System.Globalization;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>
/// One tunnelled connection: an HTTP stream whose bodies are the connection's bytes (Envoy's HttpConnPool and HttpUpstream).
/// It counts as connected once the peer's answer accepts the tunnel.
/// </summary>
internal sealed class HttpTunnelUpstream(HttpTunnel tunnel, TcpProxyFilter filter)
    : ITcpUpstream, IHttpPoolCallbacks, IResponseDecoder, IStreamCallbacks, IPoolCancellable
{
    private IPoolCancellable? _pending;
    private IRequestEncoder? _encoder;
    private HeaderMap? _request;
    private Host? _host;
    private HttpProtocol _protocol;
    private bool _established;
    private bool _readDone;
    private bool _writeDone;
    private bool _ended;

    /// <summary>Asks for a stream; null when the attempt is already over.</summary>
    public IPoolCancellable? Start(IHttpConnectionPool pool)
    {
        _pending = pool.NewStream(this, this);
        return _ended || _established ? null : this;
    }

    public void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host)
    {
        _pending = null;
        _ended = true;
        filter.OnConnectFailed(reason, transportFailureReason, host);
    }

    public void OnPoolReady(IRequestEncoder encoder, Host host, UpstreamInfo upstream, HttpProtocol protocol)
    {
        _pending = null;
        _encoder = encoder;
        _host = host;
        _protocol = protocol;
        filter.Info.Upstream = upstream;
        encoder.Stream.AddCallbacks(this);
        encoder.EnableTcpTunneling();
        _request = tunnel.RequestHeaders(filter.Info, encoder.Stream.Connection.Tls is not null);
        if (encoder.EncodeHeaders(_request, false) is not null)
        {
            Reset();
            filter.OnConnectFailed(PoolFailureReason.LocalConnectionFailure, "", host);
        }
    }

    public void Cancel(bool closeExcess)
    {
        _pending?.Cancel(closeExcess);
        _pending = null;
        Reset();
    }

    public void ReadDisable(bool disable)
    {
        if (!_ended)
        {
            filter.CountReadDisable(disable);
            _encoder!.Stream.ReadDisable(disable);
        }
    }

    public void Encode(ByteBuffer data, bool endStream)
    {
        if (_ended || _writeDone)
        {
            data.Clear();
            return;
        }
        _writeDone = endStream;
        _encoder!.EncodeData(data, endStream);
        EndIfDone();
    }

    public UpstreamDrain? OnDownstreamClosed(ConnectionEvent closed, DetectedCloseType type)
    {
        Reset();
        return null;
    }

    public void Decode1xxHeaders(HeaderMap headers) => headers.Return();

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_ended)
        {
            headers.Return();
            return;
        }
        var accepted = !endStream && Accepts(headers);
        if (tunnel.KeepResponseHeaders)
        {
            filter.Info.FilterState.Set(
                TunnelResponseHeaders.HeadersKey, new TunnelResponseHeaders(headers), FilterStateLifeSpan.Connection);
        }
        headers.Return();
        if (!accepted)
        {
            Reset();
            filter.OnConnectFailed(PoolFailureReason.RemoteConnectionFailure, "", _host);
            return;
        }
        _established = true;
        filter.OnTunnelReady(this, _host!);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        if (_ended)
        {
            data.Clear();
            return;
        }
        _readDone |= endStream;
        filter.OnUpstreamData(data, endStream);
        EndIfDone();
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        if (tunnel.KeepResponseTrailers && !_ended)
        {
            filter.Info.FilterState.Set(
                TunnelResponseHeaders.TrailersKey, new TunnelResponseHeaders(trailers), FilterStateLifeSpan.Connection);
        }
        trailers.Return();
        DecodeData(new ByteBuffer(), true);
    }

    public void OnResetStream(StreamResetReason reason, string transportFailureReason)
    {
        if (_ended)
        {
            return;
        }
        _ended = true;
        Forget();
        if (_established)
        {
            filter.OnUpstreamClosed();
        }
        else
        {
            filter.OnConnectFailed(PoolFailureReason.RemoteConnectionFailure, transportFailureReason, _host);
        }
    }

    public void OnAboveWriteBufferHighWatermark() => filter.PauseDownstream();

    public void OnBelowWriteBufferLowWatermark() => filter.ResumeDownstream();

    // RFC 9110 9.3.6: any 2xx opens the tunnel; over HTTP/2 Envoy takes 200 alone.
    private bool Accepts(HeaderMap headers)
    {
        var status = int.TryParse(headers.Get(KnownHeader.Status), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : 0;
        return _protocol == HttpProtocol.Http2 ? status == 200 : status is >= 200 and < 300;
    }

    // Both directions are through: the connection has ended as a TCP connection does.
    private void EndIfDone()
    {
        if (_readDone && _writeDone && !_ended)
        {
            _ended = true;
            Forget();
            filter.OnUpstreamClosed();
        }
    }

    private void Reset()
    {
        if (_ended)
        {
            return;
        }
        _ended = true;
        if (_encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
            encoder.Stream.ResetStream(StreamResetReason.LocalReset);
        }
        Forget();
    }

    private void Forget()
    {
        _encoder?.Stream.RemoveCallbacks(this);
        _request?.Return();
        _request = null;
    }
}
