using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>What one loop knows of the labels of one configuration, so that an exchange like an earlier one makes no text.</summary>
internal sealed class LabelCache
{
    // Bounds of memory. A table that is full is emptied: series stay, only their finding is done anew.
    private const int MaxPeers = 4096;
    private const int MaxServices = 4096;
    private const int MaxHosts = 1024;
    private const int MaxEndpoints = 4096;

    private readonly Dictionary<PeerKey, PeerLabels> _peers = [];
    private readonly Dictionary<ICluster, ServiceFacts> _services = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<byte[], string> _hosts = new(BytesComparer.Instance);
    private readonly Dictionary<MetadataValue.StringNode, WorkloadMetadata?> _endpoints = new(ReferenceEqualityComparer.Instance);

    /// <summary>The labels of an exchange's peers and service.</summary>
    /// <param name="state">Where the peer's metadata was put.</param>
    public PeerLabels Labels(IstioStatsSettings settings, StreamInfo info, FilterState state, HeaderMap? requestHeaders)
    {
        var key = Key(settings, info, state, requestHeaders);
        if (!_peers.TryGetValue(key, out var labels))
        {
            Bound(_peers, MaxPeers);
            _peers[key] = labels = PeerLabelValues.Make(settings, key);
        }
        return labels;
    }

    private PeerKey Key(IstioStatsSettings settings, StreamInfo info, FilterState state, HeaderMap? requestHeaders)
    {
        var isClient = settings.Reporter == IstioReporter.ClientSidecar;
        var peer = state.Get<WorkloadMetadata>(isClient ? WorkloadMetadata.UpstreamPeer : WorkloadMetadata.DownstreamPeer);
        var endpoint = settings.Reporter == IstioReporter.ServerGateway
            ? state.Get<WorkloadMetadata>(WorkloadMetadata.UpstreamPeer) : null;
        var told = peer;
        if (peer is null && isClient)
        {
            peer = EndpointPeer(info.Upstream?.Host);
        }
        var service = info.UpstreamCluster is { } cluster ? Service(cluster) : ServiceFacts.None;
        var special = info.RouteName switch { "block_all" => "BlackHoleCluster", "allow_any" => "PassthroughCluster", _ => null };
        var (peerPrincipal, localPrincipal) = isClient ? ClientPrincipals(info, told) : ServerPrincipals(info);
        var host = settings.DisableHostHeaderFallback || (special is null && service is { HasService: true, Host: not null })
            ? null : Host(requestHeaders);
        return new PeerKey(peer, endpoint, service, host, special, peerPrincipal, localPrincipal);
    }

    private static (string Peer, string Local) ClientPrincipals(StreamInfo info, WorkloadMetadata? told)
    {
        var tls = info.Upstream?.Tls;
        var peer = First(tls?.UriSansPeerCertificate);
        return (peer.Length > 0 ? peer : told?.Identity ?? "", First(tls?.UriSansLocalCertificate));
    }

    // Identities that a filter found (HBONE) go before those of the connection.
    private static (string Peer, string Local) ServerPrincipals(StreamInfo info)
    {
        var peer = info.FilterState.Get("io.istio.peer_principal")?.SerializeAsString() ?? "";
        var local = info.FilterState.Get("io.istio.local_principal")?.SerializeAsString() ?? "";
        return peer.Length > 0 || local.Length > 0
            ? (peer, local)
            : (First(info.DownstreamTls?.UriSansPeerCertificate), First(info.DownstreamTls?.UriSansLocalCertificate));
    }

    private static string First(IReadOnlyList<string>? names) => names is { Count: > 0 } ? names[0] : "";

    private ServiceFacts Service(ICluster cluster)
    {
        if (!_services.TryGetValue(cluster, out var facts))
        {
            Bound(_services, MaxServices);
            _services[cluster] = facts = ServiceFacts.Of(cluster);
        }
        return facts;
    }

    // The control plane writes an endpoint's workload beside it, for servers that tell nothing themselves.
    private WorkloadMetadata? EndpointPeer(Host? host)
    {
        if (host?.Metadata.Get("istio", "workload") is not MetadataValue.StringNode text)
        {
            return null;
        }
        if (!_endpoints.TryGetValue(text, out var peer))
        {
            Bound(_endpoints, MaxEndpoints);
            _endpoints[text] = peer = WorkloadMetadataFormat.FromEndpoint(text.Value);
        }
        return peer;
    }

    private string? Host(HeaderMap? headers)
    {
        if (headers is null || !headers.TryGet(KnownHeader.Authority, out var bytes))
        {
            return null;
        }
        var hosts = _hosts.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!hosts.TryGetValue(bytes, out var host))
        {
            Bound(_hosts, MaxHosts);
            hosts[bytes] = host = Encoding.Latin1.GetString(bytes);
        }
        return host;
    }

    private static void Bound<TKey, TValue>(Dictionary<TKey, TValue> table, int limit)
        where TKey : notnull
    {
        if (table.Count >= limit)
        {
            table.Clear();
        }
    }
}
