namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Istio's rules for the labels of peers and services.</summary>
internal static class PeerLabelValues
{
    public static PeerLabels Make(IstioStatsSettings settings, in PeerKey key)
    {
        var labels = new string?[IstioTags.Count];
        var service = Service(key);
        var peerNamespace = PeerNamespace(key);
        if (settings.Reporter == IstioReporter.ClientSidecar)
        {
            Set(labels, IstioTag.Reporter, "source");
            SetLocalSource(labels, settings.Local, key.LocalPrincipal);
            SetDestination(labels, key.Peer, IstioLabels.Latest);
            Set(labels, IstioTag.DestinationWorkloadNamespace, IstioLabels.OrUnknown(peerNamespace));
            Set(labels, IstioTag.DestinationPrincipal, IstioLabels.OrUnknown(key.PeerPrincipal));
            SetService(labels, service, IstioLabels.Unknown);
            Set(labels, IstioTag.DestinationServiceNamespace,
                service.Namespace.Length > 0 ? service.Namespace : IstioLabels.OrUnknown(peerNamespace));
            return new PeerLabels(settings, labels, mutualTls: null);
        }
        SetPeerSource(labels, key, peerNamespace);
        if (settings.Reporter == IstioReporter.ServerGateway)
        {
            Set(labels, IstioTag.Reporter, "waypoint");
            SetDestination(labels, key.Endpoint, IstioLabels.Unknown);
            Set(labels, IstioTag.DestinationWorkloadNamespace, IstioLabels.OrUnknown(key.Endpoint?.Namespace));
            Set(labels, IstioTag.DestinationPrincipal, IstioLabels.OrUnknown(key.Endpoint?.Identity));
            SetService(labels, service, IstioLabels.Unknown);
            Set(labels, IstioTag.DestinationServiceNamespace, IstioLabels.OrUnknown(service.Namespace));
        }
        else
        {
            Set(labels, IstioTag.Reporter, "destination");
            SetLocalDestination(labels, settings.Local, key.LocalPrincipal);
            SetService(labels, service, settings.Local.CanonicalName);
            Set(labels, IstioTag.DestinationServiceNamespace, settings.Local.Namespace);
        }
        return new PeerLabels(settings, labels, mutualTls: key.PeerPrincipal.Length > 0 && key.LocalPrincipal.Length > 0);
    }

    /// <summary>Host, name and namespace of the service; empty where nothing tells.</summary>
    internal static (string Host, string Name, string Namespace) Service(in PeerKey key)
    {
        var host = key.Host ?? "";
        if (key.Special is { } special)
        {
            return (host, special, "");
        }
        var facts = key.Service;
        if (facts.IsCatchAll)
        {
            return (host, facts.Name!, "");
        }
        if (!facts.HasService)
        {
            return (host, host, "");
        }
        host = facts.Host ?? host;
        return (host, facts.Name ?? host.Split('.', 2)[0], facts.Namespace ?? "");
    }

    // The certificate is worth more than what the peer says of itself.
    private static string PeerNamespace(in PeerKey key) =>
        IstioLabels.NamespaceOf(key.PeerPrincipal) is { Length: > 0 } certified ? certified : key.Peer?.Namespace ?? "";

    private static void SetLocalSource(string?[] labels, WorkloadMetadata local, string principal)
    {
        Set(labels, IstioTag.SourceWorkload, local.Workload);
        Set(labels, IstioTag.SourceCanonicalService, local.CanonicalName);
        Set(labels, IstioTag.SourceCanonicalRevision, local.CanonicalRevision);
        Set(labels, IstioTag.SourceWorkloadNamespace, local.Namespace);
        Set(labels, IstioTag.SourcePrincipal, IstioLabels.OrUnknown(principal));
        Set(labels, IstioTag.SourceApp, local.App);
        Set(labels, IstioTag.SourceVersion, local.Version);
        Set(labels, IstioTag.SourceCluster, local.Cluster);
    }

    private static void SetLocalDestination(string?[] labels, WorkloadMetadata local, string principal)
    {
        Set(labels, IstioTag.DestinationWorkload, local.Workload);
        Set(labels, IstioTag.DestinationWorkloadNamespace, local.Namespace);
        Set(labels, IstioTag.DestinationPrincipal, IstioLabels.OrUnknown(principal));
        Set(labels, IstioTag.DestinationApp, local.App);
        Set(labels, IstioTag.DestinationVersion, local.Version);
        Set(labels, IstioTag.DestinationCanonicalService, local.CanonicalName);
        Set(labels, IstioTag.DestinationCanonicalRevision, local.CanonicalRevision);
        Set(labels, IstioTag.DestinationCluster, local.Cluster);
    }

    private static void SetPeerSource(string?[] labels, in PeerKey key, string peerNamespace)
    {
        var peer = key.Peer;
        Set(labels, IstioTag.SourceWorkload, IstioLabels.OrUnknown(peer?.Workload));
        Set(labels, IstioTag.SourceCanonicalService, IstioLabels.OrUnknown(peer?.CanonicalName));
        Set(labels, IstioTag.SourceCanonicalRevision, IstioLabels.OrLatest(peer?.CanonicalRevision));
        Set(labels, IstioTag.SourceWorkloadNamespace, IstioLabels.OrUnknown(peerNamespace));
        Set(labels, IstioTag.SourcePrincipal, IstioLabels.OrUnknown(key.PeerPrincipal));
        Set(labels, IstioTag.SourceApp, IstioLabels.OrUnknown(peer?.App));
        Set(labels, IstioTag.SourceVersion, IstioLabels.OrUnknown(peer?.Version));
        Set(labels, IstioTag.SourceCluster, IstioLabels.OrUnknown(peer?.Cluster));
    }

    private static void SetDestination(string?[] labels, WorkloadMetadata? peer, string noRevision)
    {
        Set(labels, IstioTag.DestinationWorkload, IstioLabels.OrUnknown(peer?.Workload));
        Set(labels, IstioTag.DestinationApp, IstioLabels.OrUnknown(peer?.App));
        Set(labels, IstioTag.DestinationVersion, IstioLabels.OrUnknown(peer?.Version));
        Set(labels, IstioTag.DestinationCanonicalService, IstioLabels.OrUnknown(peer?.CanonicalName));
        Set(labels, IstioTag.DestinationCanonicalRevision,
            peer is { CanonicalRevision.Length: > 0 } ? peer.CanonicalRevision : noRevision);
        Set(labels, IstioTag.DestinationCluster, IstioLabels.OrUnknown(peer?.Cluster));
    }

    private static void SetService(string?[] labels, (string Host, string Name, string Namespace) service, string otherwise)
    {
        Set(labels, IstioTag.DestinationService, service.Host.Length > 0 ? service.Host : otherwise);
        Set(labels, IstioTag.DestinationServiceName, service.Name.Length > 0 ? service.Name : otherwise);
    }

    private static void Set(string?[] labels, IstioTag tag, string value) => labels[(int)tag] = value;
}
