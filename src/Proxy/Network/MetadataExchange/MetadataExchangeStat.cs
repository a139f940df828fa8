using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Network.MetadataExchange;

/// <summary>`metadata_exchange.*` of a listener or cluster.</summary>
internal enum MetadataExchangeStat
{
    AlpnProtocolNotFound,
    AlpnProtocolFound,
    InitialHeaderNotFound,
    HeaderNotFound,
    MetadataAdded,
}

/// <summary>Names of <see cref="MetadataExchangeStat"/>.</summary>
internal static class MetadataExchangeStats
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("alpn_protocol_not_found", StatKind.Counter),
        ("alpn_protocol_found", StatKind.Counter),
        ("initial_header_not_found", StatKind.Counter),
        ("header_not_found", StatKind.Counter),
        ("metadata_added", StatKind.Counter),
    ]);

    public static void Inc(this StatBlock block, MetadataExchangeStat stat) => block.Inc((int)stat);
}
