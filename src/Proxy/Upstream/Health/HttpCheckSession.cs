using System.Buffers.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HTTP checks: status, payload, service name, degraded mark.</summary>
internal sealed class HttpCheckSession(HealthChecker checker, HostImpl host, HttpCheckOptions options)
    : HttpRequestSession(checker, host, options.Protocol)
{
    private readonly ByteBuffer _body = new();
    private int _status;
    private bool _degraded;
    private bool _immediateFail;
    private string? _serviceName;

    protected override void SendRequest(IRequestEncoder encoder)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, options.Method);
        headers.Set(KnownHeader.Path, options.Path);
        headers.Set(KnownHeader.Scheme, Host.TransportSocketFactory.ImplementsSecureTransport ? "https" : "http");
        headers.Set(KnownHeader.Authority, Host.Facts.HealthCheckHostname.Length > 0 ? Host.Facts.HealthCheckHostname : options.Host);
        headers.Set(KnownHeader.UserAgent, "Envoy/HC");
        options.Headers.Evaluate(headers, new LogContext(headers, null, null, encoder.Stream.Connection.StreamInfo));
        var hasBody = options.Send.Length > 0;
        if (hasBody)
        {
            headers.Set(KnownHeader.ContentLength, options.Send.Length);
        }
        encoder.EncodeHeaders(headers, !hasBody);
        if (hasBody)
        {
            var body = new ByteBuffer();
            body.Append(options.Send);
            encoder.EncodeData(body, true);
        }
    }

    protected override void OnHeaders(HeaderMap headers, bool endStream)
    {
        _body.Clear();
        _status = Utf8Parser.TryParse(headers.Get(KnownHeader.Status), out int status, out _) ? status : 0;
        _degraded = headers.Contains(KnownHeader.EnvoyDegraded);
        _immediateFail = headers.Contains(KnownHeader.EnvoyImmediateHealthCheckFail);
        _serviceName = headers.GetString(KnownHeader.EnvoyUpstreamHealthCheckedCluster);
        PeerCloses = HeaderTokens.Contains(headers.Get(KnownHeader.Connection), "close"u8)
            || (PeerProtocol == HttpProtocol.Http10 && !HeaderTokens.Contains(headers.Get(KnownHeader.Connection), "keep-alive"u8));
    }

    protected override void OnBody(ByteBuffer data)
    {
        var room = options.ResponseBufferSize == 0 ? long.MaxValue : (long)options.ResponseBufferSize - _body.Length;
        if (room > 0)
        {
            _body.MoveFrom(data, Math.Min(room, data.Length));
        }
    }

    protected override void OnComplete(HeaderMap? trailers)
    {
        if (!options.IsExpected(_status))
        {
            if (_immediateFail)
            {
                Exclude();
            }
            FailedStatus = _status;
            HandleFailure(HealthCheckFailure.Active, options.IsRetriable(_status));
            return;
        }
        if (!options.Receive.IsEmpty && !options.Receive.Matches(_body.ToArray()))
        {
            FailedStatus = _status;
            HandleFailure(HealthCheckFailure.Active);
            return;
        }
        if (options.ServiceName is { } expected)
        {
            Checker.Stats.VerifyCluster();
            if (_serviceName is null || !expected.Match(_serviceName))
            {
                FailedStatus = _status;
                HandleFailure(HealthCheckFailure.Active);
                return;
            }
        }
        HandleSuccess(_degraded);
    }
}
