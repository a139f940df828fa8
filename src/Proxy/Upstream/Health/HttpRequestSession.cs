using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>A check that is an HTTP request; how the response is judged is up to the kind.</summary>
internal abstract class HttpRequestSession(HealthChecker checker, HostImpl host, HttpProtocol protocol)
    : HealthCheckSession(checker, host), IResponseDecoder, IStreamCallbacks
{
    private CheckHttpClient? _client;
    private IRequestEncoder? _encoder;
    private bool _inFlight;

    protected abstract void SendRequest(IRequestEncoder encoder);

    protected abstract void OnHeaders(HeaderMap headers, bool endStream);

    protected abstract void OnBody(ByteBuffer data);

    /// <summary>The response is whole: judge it.</summary>
    protected abstract void OnComplete(HeaderMap? trailers);

    /// <summary>A stream that was reset without an answer.</summary>
    protected virtual void OnReset() => HandleFailure(HealthCheckFailure.Network);

    /// <summary>Whether the peer asked to close after this response.</summary>
    protected bool PeerCloses { get; set; }

    protected HttpProtocol PeerProtocol => _client?.PeerProtocol ?? protocol;

    protected override void StartCheck()
    {
        _inFlight = true;
        PeerCloses = false;
        if (_client is { GoingAway: true })
        {
            CloseConnection();
        }
        _client ??= new CheckHttpClient(Checker, Host, protocol, OnClosed);
        _client.WhenConnected(codec =>
        {
            _encoder = codec.NewStream(this);
            _encoder.Stream.AddCallbacks(this);
            SendRequest(_encoder);
        });
    }

    protected override void AbandonCheck()
    {
        _inFlight = false;
        CloseConnection();
    }

    protected override void CloseConnection()
    {
        var client = _client;
        _client = null;
        _encoder = null;
        client?.Close();
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!_inFlight)
        {
            return;
        }
        OnHeaders(headers, endStream);
        End(endStream, null);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        if (!_inFlight)
        {
            data.Clear();
            return;
        }
        OnBody(data);
        data.Clear();
        End(endStream, null);
    }

    public void DecodeTrailers(HeaderMap trailers) => End(true, trailers);

    public void OnResetStream(StreamResetReason reason, string transportFailureReason)
    {
        if (!_inFlight)
        {
            return;
        }
        _inFlight = false;
        if (protocol != HttpProtocol.Http2 || !Checker.Options.ReuseConnection)
        {
            CloseConnection();
        }
        OnReset();
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void End(bool endStream, HeaderMap? trailers)
    {
        if (!endStream || !_inFlight)
        {
            return;
        }
        _inFlight = false;
        if (_encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
        }
        OnComplete(trailers);
        if (!Checker.Options.ReuseConnection || PeerCloses || _client is { GoingAway: true })
        {
            CloseConnection();
        }
    }

    private void OnClosed(CheckHttpClient client)
    {
        if (!ReferenceEquals(client, _client))
        {
            return;
        }
        _client = null;
        if (_inFlight)
        {
            _inFlight = false;
            OnReset();
        }
    }
}
