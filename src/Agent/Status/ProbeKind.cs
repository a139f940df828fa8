namespace MeshProxy.Agent.Status;

internal enum ProbeKind
{
    Http,
    Tcp,
    Grpc,
}
