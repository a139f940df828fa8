namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>From whose view a proxy reports.</summary>
internal enum IstioReporter
{
    /// <summary>Outbound listener of a sidecar.</summary>
    ClientSidecar,

    /// <summary>Inbound listener of a sidecar.</summary>
    ServerSidecar,

    /// <summary>A gateway in front of several workloads.</summary>
    ServerGateway,
}
