using System.Net;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>Workloads by the address they have, as a control plane lists them.</summary>
public interface IWorkloadDiscovery
{
    /// <summary>The workload of an address; null when none is known. From any thread.</summary>
    WorkloadMetadata? Find(EndPoint? address);
}

/// <summary>Where the server's one table is found by those who compile filters; empty until the bootstrap asks for discovery.</summary>
public sealed class WorkloadDiscoveryHolder : IWorkloadDiscovery
{
    /// <summary>Null when the bootstrap configures no discovery.</summary>
    public IWorkloadDiscovery? Table { get; set; }

    public static WorkloadDiscoveryHolder Of(Singletons singletons) =>
        singletons.Get("istio", static () => new WorkloadDiscoveryHolder());

    public WorkloadMetadata? Find(EndPoint? address) => Table?.Find(address);
}
