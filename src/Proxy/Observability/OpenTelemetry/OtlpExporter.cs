using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using GrpcService = Envoy.Config.Core.V3.GrpcService;
using HttpService = Envoy.Config.Core.V3.HttpService;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>Sends requests of the OpenTelemetry protocol to a collector, by gRPC or HTTP; from any loop.</summary>
internal abstract class OtlpExporter
{
    private const string ContentType = "application/x-protobuf";

    /// <param name="service">gRPC service whose Export is called.</param>
    /// <exception cref="ConfigurationException">Neither service is given, or it cannot be called.</exception>
    public static OtlpExporter Compile(GrpcService? grpc, HttpService? http, string service, FactoryContext context, string field)
    {
        if (http is { } httpService)
        {
            return new Http(HttpServiceClient.Compile(httpService, ContentType, context, $"{field}.http_service"));
        }
        return grpc is { } grpcService
            ? new Grpc(GrpcAsyncClient.Compile(grpcService, context, $"{field}.grpc_service"), service)
            : throw new ConfigurationException($"{field}: there is no collector to send to; set grpc_service or http_service.");
    }

    /// <param name="done">Called once, on this loop, with whether the collector took the request.</param>
    public abstract void Send(ReadOnlySpan<byte> request, Action<bool> done);

    private sealed class Grpc(GrpcAsyncClient client, string service) : OtlpExporter
    {
        public override void Send(ReadOnlySpan<byte> request, Action<bool> done) =>
            client.Call(service, "Export", request, new Call(done));
    }

    private sealed class Http(HttpServiceClient client) : OtlpExporter
    {
        public override void Send(ReadOnlySpan<byte> request, Action<bool> done)
        {
            if (!client.Post(request, new Call(done)))
            {
                done(false);
            }
        }
    }

    private sealed class Call(Action<bool> done) : IGrpcCallCallbacks, IAsyncRequestCallbacks
    {
        public void OnSuccess(ReadOnlyMemory<byte> response) => done(true);

        public void OnFailure(int status, string message) => done(false);

        public void OnSuccess(HeaderMap responseHeaders, ByteBuffer body, HeaderMap? trailers) =>
            done(HeaderUtility.Status(responseHeaders) == 200);

        public void OnFailure(string reason) => done(false);
    }
}
