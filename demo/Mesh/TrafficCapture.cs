namespace MeshProxy.Demo.Mesh;

/// <summary>How traffic comes to a sidecar (Istio's interception mode).</summary>
public enum TrafficCapture
{
    /// <summary>Each pod is a network namespace; iptables redirects all it sends and receives. Needs root.</summary>
    Redirect,

    /// <summary>Pods are loopback addresses; applications are told the ports their sidecar listens on.</summary>
    None,
}
