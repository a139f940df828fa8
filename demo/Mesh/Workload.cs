namespace MeshProxy.Demo.Mesh;

/// <summary>A pod of the mesh, before it runs.</summary>
/// <param name="Name">Its name, also the name of its service account.</param>
/// <param name="Address">Its IPv4 address.</param>
/// <param name="Service">The service it serves, or null for one that only calls.</param>
/// <param name="Version">The version label, by which traffic is split.</param>
/// <param name="HasSidecar">False for a stranger to the mesh: no redirects, no proxy, no identity.</param>
public sealed record Workload(
    string Name, string Address, Service? Service = null, string Version = "v1", bool HasSidecar = true)
{
    /// <summary>The name istiod knows the proxy by: TYPE~ADDRESS~POD.NAMESPACE~DOMAIN.</summary>
    public string NodeId =>
        $"sidecar~{Address}~{Name}.{MeshDescription.Namespace}~{MeshDescription.Namespace}.svc.cluster.local";

    /// <summary>The SPIFFE identity its certificate carries.</summary>
    public string Identity => $"spiffe://cluster.local/ns/{MeshDescription.Namespace}/sa/{Name}";
}
