namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>What the entries of a log service are; the number of their field in StreamAccessLogsMessage.</summary>
internal enum GrpcLogKind
{
    Http = 2,
    Tcp = 3,
}
