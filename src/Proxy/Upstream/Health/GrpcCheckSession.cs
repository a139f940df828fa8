using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using HealthCheckResponse = Grpc.Health.V1.HealthCheckResponse;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>gRPC checks: grpc.health.v1.Health/Check answers SERVING.</summary>
internal sealed class GrpcCheckSession(HealthChecker checker, HostImpl host, GrpcCheckOptions options)
    : HttpRequestSession(checker, host, HttpProtocol.Http2)
{
    // A gRPC frame's header: one byte of flags, four of length.
    private const int FrameHeader = 5;

    private readonly ByteBuffer _body = new();
    private bool _valid;
    private int? _grpcStatus;

    protected override void SendRequest(IRequestEncoder encoder)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, "POST");
        headers.Set(KnownHeader.Path, "/grpc.health.v1.Health/Check");
        headers.Set(KnownHeader.Scheme, Host.TransportSocketFactory.ImplementsSecureTransport ? "https" : "http");
        headers.Set(KnownHeader.Authority, Authority());
        headers.Set(KnownHeader.ContentType, "application/grpc");
        headers.Set(KnownHeader.Te, "trailers");
        var timeout = ((long)Checker.Options.Timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        headers.Set(KnownHeader.GrpcTimeout, timeout + "m");
        headers.Set(KnownHeader.UserAgent, "Envoy/HC");
        options.Metadata.Evaluate(headers, new LogContext(headers, null, null, encoder.Stream.Connection.StreamInfo));
        encoder.EncodeHeaders(headers, false);
        var body = new ByteBuffer();
        body.Append(options.Request);
        encoder.EncodeData(body, true);
    }

    protected override void OnHeaders(HeaderMap headers, bool endStream)
    {
        _body.Clear();
        _grpcStatus = StatusOf(headers);
        _valid = headers.Get(KnownHeader.Status).SequenceEqual("200"u8)
            && headers.Get(KnownHeader.ContentType).StartsWith("application/grpc"u8);
    }

    protected override void OnBody(ByteBuffer data) => _body.MoveFrom(data);

    protected override void OnComplete(HeaderMap? trailers)
    {
        var status = trailers is null ? _grpcStatus : StatusOf(trailers);
        if (_valid && status == 0 && IsServing())
        {
            HandleSuccess(degraded: false);
        }
        else
        {
            HandleFailure(HealthCheckFailure.Active, retriable: true);
        }
    }

    private string Authority() =>
        Host.Facts.HealthCheckHostname.Length > 0 ? Host.Facts.HealthCheckHostname
        : options.Authority.Length > 0 ? options.Authority
        : Checker.Cluster.Info.Name;

    private bool IsServing()
    {
        var bytes = _body.ToArray();
        if (bytes.Length < FrameHeader || bytes[0] != 0
            || BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)) != bytes.Length - FrameHeader)
        {
            return false;
        }
        try
        {
            var response = HealthCheckResponse.From(Message.Parse(HealthCheckResponse.Descriptor, bytes.AsMemory(FrameHeader).ToArray()));
            return response.Status == HealthCheckResponse.ServingStatus.Serving;
        }
        catch (ProtobufException)
        {
            return false;
        }
    }

    private static int? StatusOf(HeaderMap headers) =>
        Utf8Parser.TryParse(headers.Get(KnownHeader.GrpcStatus), out int status, out _) ? status : null;
}
