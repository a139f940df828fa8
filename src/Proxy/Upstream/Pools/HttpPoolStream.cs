using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.LoadBalancing;


namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Stands between the router and the codec for one stream, to learn when both ends are done and whether the connection may be used again.</summary>
internal sealed class HttpPoolStream(HttpPoolClient client, IResponseDecoder decoder, UpstreamInfo upstream)
    : IResponseDecoder, IRequestEncoder, IStreamCallbacks
{
    private IRequestEncoder _encoder = null!;
    private bool _encodeComplete;
    private bool _closeConnection;
    private bool _detached;
    private bool _resetting;

    public bool DecodeComplete { get; private set; }

    public IHttpStream Stream => _encoder.Stream;

    public void Open(IClientConnection codec)
    {
        _encoder = codec.NewStream(this);
        _encoder.Stream.AddCallbacks(this);
    }

    /// <summary>The connection is gone: the router learns of it through the stream's callbacks.</summary>
    public void Fail(StreamResetReason reason, string transportFailureReason)
    {
        if (_resetting || _detached)
        {
            return;
        }
        upstream.RequestUndelivered = client.ClosedInOrder && !client.IsHttp2
            && client.Connection!.UndeliveredAtClose >= Math.Max(1, _encoder.Stream.Bytes.WireBytesSent);
        _encoder.Stream.ResetStream(reason);
        if (!_detached)
        {
            OnResetStream(reason, transportFailureReason);
        }
    }

    public void Detach()
    {
        _detached = true;
        _encoder.Stream.RemoveCallbacks(this);
    }

    public string? EncodeHeaders(HeaderMap headers, bool endStream)
    {
        var error = _encoder.EncodeHeaders(headers, endStream);
        if (error is null && endStream)
        {
            OnEncodeComplete();
        }
        return error;
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        _encoder.EncodeData(data, endStream);
        if (endStream)
        {
            OnEncodeComplete();
        }
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
        _encoder.EncodeTrailers(trailers);
        OnEncodeComplete();
    }

    public void EnableTcpTunneling() => _encoder.EnableTcpTunneling();

    public void Decode1xxHeaders(HeaderMap headers) => decoder.Decode1xxHeaders(headers);

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!client.IsHttp2 && MustClose(headers))
        {
            _closeConnection = true;
            client.Pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxCloseNotify);
        }
        ReadLoadReport(headers);
        BeforeEnd(endStream);
        decoder.DecodeHeaders(headers, endStream);
        AfterEnd(endStream);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        BeforeEnd(endStream);
        decoder.DecodeData(data, endStream);
        AfterEnd(endStream);
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        ReadLoadReport(trailers);
        BeforeEnd(true);
        decoder.DecodeTrailers(trailers);
        AfterEnd(true);
    }

    public void OnResetStream(StreamResetReason reason, string transportFailureReason)
    {
        if (!_detached && !_resetting)
        {
            _resetting = true;
            client.OnStreamReset(this, reason);
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void ReadLoadReport(HeaderMap headers)
    {
        if (client.Pool.Cluster.LoadReports is { } options && LoadReport.Read(headers)?.Weight(options) is { } weight)
        {
            client.Pool.Host.Report(weight, client.Pool.Loop.Now);
        }
    }

    private void BeforeEnd(bool endStream) => DecodeComplete |= endStream;

    // After the router had the last part: it may have reset the stream meanwhile.
    private void AfterEnd(bool endStream)
    {
        if (!endStream || _detached)
        {
            return;
        }
        if (client.IsHttp2)
        {
            CompleteIfDone();
            return;
        }
        if (!_encodeComplete || _closeConnection || client.RemoteClosed)
        {
            // Response before the end of the request, or the peer wants to close: not to be used again.
            client.CompleteStreamAndClose(this, _encodeComplete);
        }
        else
        {
            client.CompleteStream(this);
        }
    }

    private void OnEncodeComplete()
    {
        _encodeComplete = true;
        if (client.IsHttp2)
        {
            CompleteIfDone();
        }
    }

    private void CompleteIfDone()
    {
        if (_encodeComplete && DecodeComplete && !_detached)
        {
            client.CompleteStream(this);
        }
    }

    // RFC 9112 9.3: HTTP/1.0 closes unless told to keep alive, HTTP/1.1 keeps unless told to close.
    private bool MustClose(HeaderMap headers)
    {
        if (HeaderTokens.Contains(headers.Get(KnownHeader.Connection), "close"u8)
            || HeaderTokens.Contains(headers.Get(KnownHeader.ProxyConnection), "close"u8))
        {
            return true;
        }
        return client.PeerProtocol == HttpProtocol.Http10
            && !HeaderTokens.Contains(headers.Get(KnownHeader.Connection), "keep-alive"u8);
    }
}
