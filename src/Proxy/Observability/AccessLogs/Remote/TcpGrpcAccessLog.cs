using Envoy.Data.Accesslog.V3;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>access_loggers.grpc.v3.TcpGrpcAccessLogConfig: connections told to an access log service.</summary>
internal sealed class TcpGrpcAccessLog(GrpcLogService service, CommonProperties common) : IAccessLog
{
    public void Log(in LogContext context)
    {
        var connection = ConnectionProperties.New();
        connection.ReceivedBytes = (ulong)context.StreamInfo.BytesReceived;
        connection.SentBytes = (ulong)context.StreamInfo.BytesSent;
        var entry = TCPAccessLogEntry.New();
        entry.CommonProperties = common.Of(context);
        entry.ConnectionProperties = connection;
        service.Add(entry.Message);
    }
}
