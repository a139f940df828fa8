using Envoy.Type.Metadata.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Extensions.TransportSockets.InternalUpstream.V3.InternalUpstreamTransport;

namespace MeshProxy.Proxy.Network.Sockets;

/// <summary>envoy.transport_sockets.internal_upstream: gives metadata and shared filter state to the internal listener it connects to.</summary>
internal sealed class InternalUpstreamFactory : IUpstreamTransportSocketFactory
{
    private static readonly Dictionary<string, MetadataValue> Empty = [];

    private readonly IUpstreamTransportSocketFactory _inner;
    private readonly (bool OfCluster, string Name)[] _metadata;

    private InternalUpstreamFactory(IUpstreamTransportSocketFactory inner, (bool, string)[] metadata) =>
        (_inner, _metadata) = (inner, metadata);

    public bool ImplementsSecureTransport => _inner.ImplementsSecureTransport;

    public bool IsReady => _inner.IsReady;

    public bool SupportsAlpn => _inner.SupportsAlpn;

    public bool SendsDownstreamAddresses => _inner.SendsDownstreamAddresses;

    public static InternalUpstreamFactory Compile(Config config, IUpstreamTransportSocketFactory inner)
    {
        var metadata = new List<(bool, string)>();
        foreach (var source in config.PassthroughMetadata)
        {
            metadata.Add(source.Kind?.KindCase switch
            {
                MetadataKind.KindOneofCase.HostValue => (false, source.Name),
                MetadataKind.KindOneofCase.ClusterValue => (true, source.Name),
                _ => throw new ConfigurationException(
                    "internal_upstream: metadata type is not supported; passthrough_metadata.kind takes host or cluster."),
            });
        }
        return new InternalUpstreamFactory(inner, [.. metadata]);
    }

    public ITransportSocket Create(TransportSocketOptions? options, Host host)
    {
        var metadata = new DynamicMetadata();
        foreach (var (ofCluster, name) in _metadata)
        {
            var source = ofCluster ? host.Cluster.Metadata : host.Metadata;
            foreach (var (key, value) in source.Get(name) ?? Empty)
            {
                metadata.Set(name, key, value);
            }
        }
        return new InternalUpstream(_inner.Create(options, host), metadata, options?.SharedFilterState ?? []);
    }

    public TransportSocketOptions? SharingKey(TransportSocketOptions? options)
    {
        var inner = _inner.SharingKey(options);
        return options is { SharedFilterState.Count: > 0 }
            ? (inner ?? new TransportSocketOptions()) with { SharedFilterState = options.SharedFilterState }
            : inner;
    }
}

/// <summary>At work on one connection.</summary>
internal sealed class InternalUpstream(
    ITransportSocket inner, DynamicMetadata metadata, IReadOnlyList<SharedFilterStateObject> shared) : WrappedTransportSocket(inner)
{
    /// <summary>Puts what is passed through into the record of the connection that the internal listener takes.</summary>
    public void PassTo(StreamInfo info)
    {
        info.DynamicMetadata = metadata;
        foreach (var (key, value, sharing) in shared)
        {
            info.FilterState.Set(key, value, FilterStateLifeSpan.Connection,
                sharing == FilterStateSharing.Transitive ? sharing : FilterStateSharing.None);
        }
    }
}
