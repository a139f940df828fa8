using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Server;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using GrpcService = Envoy.Config.Core.V3.GrpcService;
using HttpService = Envoy.Config.Core.V3.HttpService;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>Sends requests of the OpenTelemetry protocol to a collector, by gRPC or HTTP; from any loop.</summary>
internal abstract class OtlpExporter
{
    private const string ContentType = "application/x-protobuf";

    /// <summary>Who sends, as the OTLP exporter specification wants it said; Envoy's, whose place this takes.</summary>
    private const string UserAgent = $"OTel-OTLP-Exporter-Envoy/{ServerVersion.EnvoyCompatible}";

    /// <param name="service">gRPC service whose Export is called.</param>
    /// <exception cref="ConfigurationException">Neither service is given, or it cannot be called.</exception>
    public static OtlpExporter Compile(GrpcService? grpc, HttpService? http, string service, FactoryContext context, string field)
    {
        if (http is { } httpService)
        {
            return new Http(HttpServiceClient.Compile(httpService, ContentType, context, $"{field}.http_service", UserAgent));
        }
        return grpc is { } grpcService
            ? new Grpc(GrpcAsyncClient.Compile(grpcService, context, $"{field}.grpc_service"), service)
            : throw new ConfigurationException($"{field}: there is no collector to send to; set grpc_service or http_service.");
    }

    /// <param name="done">Called once, on this loop, with the collector's answer; null when it did not take the request.</param>
    public abstract void Send(ReadOnlySpan<byte> request, Action<ReadOnlyMemory<byte>?> done);

    private sealed class Grpc(GrpcAsyncClient client, string service) : OtlpExporter
    {
        public override void Send(ReadOnlySpan<byte> request, Action<ReadOnlyMemory<byte>?> done) =>
            client.Call(service, "Export", request, new Call(done));
    }

    private sealed class Http(HttpServiceClient client) : OtlpExporter
    {
        public override void Send(ReadOnlySpan<byte> request, Action<ReadOnlyMemory<byte>?> done)
        {
            if (!client.Post(request, new Call(done)))
            {
                done(null);
            }
        }
    }

    private sealed class Call(Action<ReadOnlyMemory<byte>?> done) : IGrpcCallCallbacks, IAsyncRequestCallbacks
    {
        public void OnSuccess(ReadOnlyMemory<byte> response) => done(response);

        public void OnFailure(int status, string message) => done(null);

        public void OnSuccess(HeaderMap responseHeaders, ByteBuffer body, HeaderMap? trailers) =>
            done(HeaderUtility.Status(responseHeaders) == 200 ? ReadOnlyMemory<byte>.Empty : null);

        public void OnFailure(string reason) => done(null);
    }
}
