namespace MeshProxy.Demo.Mesh;

/// <summary>
/// A small mesh: who is in it and which policies hold. What istiod would make of the equivalent Kubernetes and Istio
/// resources is written by <see cref="Resources.ResourceFolder"/>. Immutable; a change of policy is a new description.
/// </summary>
public sealed record MeshDescription
{
    /// <summary>The Kubernetes namespace that all workloads are imagined in.</summary>
    public const string Namespace = "shop";

    /// <summary>All services.</summary>
    public required IReadOnlyList<Service> Services { get; init; }

    /// <summary>All pods.</summary>
    public required IReadOnlyList<Workload> Workloads { get; init; }

    /// <summary>What sidecars accept (PeerAuthentication of the whole mesh).</summary>
    public MutualTls MutualTls { get; init; } = MutualTls.Strict;

    /// <summary>
    /// A VirtualService per service name: the weight of each version. A service without one is not split.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Splits { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, int>>();

    /// <summary>An AuthorizationPolicy of action DENY per service name: the callers it refuses.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Workload>> Refusals { get; init; } =
        new Dictionary<string, IReadOnlyList<Workload>>();

    /// <summary>How traffic comes to the sidecars.</summary>
    public TrafficCapture Capture { get; init; } = TrafficCapture.Redirect;

    /// <summary>The workload of this name.</summary>
    public Workload Workload(string name) => Workloads.Single(w => w.Name == name);

    /// <summary>The service of this name.</summary>
    public Service Service(string name) => Services.Single(s => s.Name == name);

    /// <summary>The versions of a service that have a workload, in order.</summary>
    public IEnumerable<string> Versions(Service service) =>
        Workloads.Where(w => w.Service == service).Select(w => w.Version).Distinct().Order(StringComparer.Ordinal);

    /// <summary>The port an application of this service listens on, behind its sidecar.</summary>
    public int ApplicationPort(Service service) =>
        Capture == TrafficCapture.Redirect ? service.Port : service.Port + ApplicationPortOffset;

    /// <summary>What a client in <paramref name="caller"/> connects to in order to reach the service.</summary>
    public (string Address, int Port) Destination(Workload caller, Service service) =>
        Capture == TrafficCapture.Redirect
            ? (service.VirtualAddress, service.Port)
            : (caller.Address, service.Port + OutboundPortOffset);

    // Without redirects a pod's address has three ports per service: the sidecar's inbound one (the service's own,
    // which endpoints name), the application's behind it, and the sidecar's outbound one. Services use ports below
    // 10000.
    private const int ApplicationPortOffset = 10000;
    private const int OutboundPortOffset = 20000;
}
