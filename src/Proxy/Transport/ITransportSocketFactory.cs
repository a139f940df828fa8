namespace MeshProxy.Proxy.Transport;

/// <summary>Makes the transport sockets of accepted connections; compiled once per filter chain.</summary>
public interface IDownstreamTransportSocketFactory
{
    bool ImplementsSecureTransport { get; }

    /// <summary>False while a secret has not come: the connection is closed at once (Envoy: NotReadySslSocket).</summary>
    bool IsReady { get; }

    ITransportSocket Create();
}

/// <summary>Makes the transport sockets of connections to endpoints; compiled once per cluster (and per transport_socket_matches entry).</summary>
public interface IUpstreamTransportSocketFactory
{
    bool ImplementsSecureTransport { get; }

    bool IsReady { get; }

    /// <summary>ALPN protocols this factory offers by default; empty when none.</summary>
    bool SupportsAlpn { get; }

    /// <summary>A PROXY header with the client's addresses goes before everything else.</summary>
    bool SendsDownstreamAddresses => false;

    ITransportSocket Create(TransportSocketOptions? options, Upstream.Host host);

    /// <summary>What of <paramref name="options"/> this transport heeds: requests share connections only where it is equal. Null when nothing matters.</summary>
    TransportSocketOptions? SharingKey(TransportSocketOptions? options);
}

/// <summary>What a request asks of the upstream transport (Envoy's TransportSocketOptions). Immutable; equality decides pool sharing.</summary>
public sealed record TransportSocketOptions
{
    /// <summary>Filter state envoy.network.upstream_server_name, or auto_sni.</summary>
    public string? ServerNameOverride { get; init; }

    public IReadOnlyList<string> VerifySubjectAltNamesOverride { get; init; } = [];

    /// <summary>Replaces the ALPN of the context (filter state envoy.network.application_protocols; istio.alpn).</summary>
    public IReadOnlyList<string> ApplicationProtocolListOverride { get; init; } = [];

    /// <summary>Appended when nothing else says which (the pool's HTTP protocol).</summary>
    public IReadOnlyList<string> ApplicationProtocolFallback { get; init; } = [];

    /// <summary>Data for a PROXY protocol header, from the downstream connection.</summary>
    public ProxyProtocolData? ProxyProtocol { get; init; }

    /// <summary>Filter state shared with the upstream connection (internal_upstream).</summary>
    public IReadOnlyList<Observability.SharedFilterStateObject> SharedFilterState { get; init; } = [];

    public bool Equals(TransportSocketOptions? other) =>
        other is not null && ServerNameOverride == other.ServerNameOverride
        && VerifySubjectAltNamesOverride.SequenceEqual(other.VerifySubjectAltNamesOverride)
        && ApplicationProtocolListOverride.SequenceEqual(other.ApplicationProtocolListOverride)
        && ApplicationProtocolFallback.SequenceEqual(other.ApplicationProtocolFallback)
        && Equals(ProxyProtocol, other.ProxyProtocol)
        && Hashable(SharedFilterState).SequenceEqual(Hashable(other.SharedFilterState));

    public override int GetHashCode() =>
        HashCode.Combine(ServerNameOverride, ApplicationProtocolListOverride.Count, ProxyProtocol);

    private static IEnumerable<Observability.SharedFilterStateObject> Hashable(IReadOnlyList<Observability.SharedFilterStateObject> shared) =>
        shared.Where(static one => one.Value.Hashable);
}

/// <summary>Addresses and TLVs of a PROXY protocol header.</summary>
public sealed record ProxyProtocolData(
    System.Net.EndPoint Source, System.Net.EndPoint Destination, IReadOnlyList<KeyValuePair<byte, byte[]>> Tlvs);
