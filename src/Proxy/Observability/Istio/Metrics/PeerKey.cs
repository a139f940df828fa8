using System.Runtime.CompilerServices;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>All that the labels of peers and services follow from.</summary>
/// <param name="Peer">By reference: peers are kept by those who learn of them.</param>
/// <param name="Endpoint">At a gateway, the workload behind it.</param>
/// <param name="Service">By reference.</param>
/// <param name="Host">The request's host where it names the service; null where it does not.</param>
/// <param name="Special">Name that the route gives to traffic without a service; null for others.</param>
internal readonly record struct PeerKey(
    WorkloadMetadata? Peer, WorkloadMetadata? Endpoint, ServiceFacts Service, string? Host, string? Special, string PeerPrincipal,
    string LocalPrincipal)
{
    public bool Equals(PeerKey other) =>
        ReferenceEquals(Peer, other.Peer) && ReferenceEquals(Endpoint, other.Endpoint) && ReferenceEquals(Service, other.Service)
        && ReferenceEquals(Host, other.Host) && ReferenceEquals(Special, other.Special)
        && PeerPrincipal == other.PeerPrincipal && LocalPrincipal == other.LocalPrincipal;

    public override int GetHashCode() => HashCode.Combine(
        RuntimeHelpers.GetHashCode(Peer), RuntimeHelpers.GetHashCode(Endpoint), RuntimeHelpers.GetHashCode(Service),
        RuntimeHelpers.GetHashCode(Host), RuntimeHelpers.GetHashCode(Special), Tail(PeerPrincipal), Tail(LocalPrincipal));

    // Identities differ at their end, in the service account; the whole of one is not hashed for every request.
    private static int Tail(string principal)
    {
        const int Chars = 8;
        var tail = principal.Length <= Chars ? principal.AsSpan() : principal.AsSpan(principal.Length - Chars);
        var hash = principal.Length;
        foreach (var c in tail)
        {
            hash = (hash * 31) + c;
        }
        return hash;
    }
}
