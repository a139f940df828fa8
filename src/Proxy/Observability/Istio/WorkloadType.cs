namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>The kind of object that runs a workload, as Istio's peer metadata tells it.</summary>
public enum WorkloadType
{
    Unknown,
    Pod,
    Deployment,
    Job,
    CronJob,
}
