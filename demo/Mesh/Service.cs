namespace MeshProxy.Demo.Mesh;

/// <summary>A service of the mesh.</summary>
/// <param name="Name">Its short name; the full host is NAME.shop.svc.cluster.local.</param>
/// <param name="Port">Its port, which is also the port its workloads listen on.</param>
/// <param name="Protocol">What its port speaks.</param>
/// <param name="VirtualAddress">The cluster address clients connect to when traffic is redirected.</param>
public sealed record Service(string Name, int Port, ServiceProtocol Protocol, string VirtualAddress)
{
    /// <summary>The full host name, the last part of the cluster names made for this service.</summary>
    public string Host => $"{Name}.{MeshDescription.Namespace}.svc.cluster.local";

    /// <summary>Whether its port carries HTTP, of either version.</summary>
    public bool IsHttp => Protocol is ServiceProtocol.Http or ServiceProtocol.Grpc;

    /// <summary>The name istiod gives the cluster of a version; of all when it is empty.</summary>
    public string ClusterName(string version = "") => $"outbound|{Port}|{version}|{Host}";
}
