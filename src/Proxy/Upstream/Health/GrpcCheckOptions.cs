using System.Text;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HealthCheck.GrpcHealthCheck, compiled.</summary>
internal sealed class GrpcCheckOptions(HealthCheck.GrpcHealthCheck config)
{
    public string Authority => config.Authority;


    public HeaderParser Metadata { get; } = HeaderParser.Compile(config.InitialMetadata, [], "grpc_health_check.initial_metadata");

    /// <summary>A grpc.health.v1.HealthCheckRequest in its frame.</summary>
    public byte[] Request { get; } = Frame(config.ServiceName);

    private static byte[] Frame(string service)
    {
        var request = Grpc.Health.V1.HealthCheckRequest.New();
        if (service.Length > 0)
        {
            request.Service = service;
        }
        var message = request.Message.ToBytes();
        var frame = new byte[message.Length + 5];
        // The five bytes of a gRPC frame: not compressed, length.
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }
}
