using System.Net;

namespace MeshProxy.Proxy.Listeners;

/// <summary>filter_chain_match.source_type.</summary>
public enum ConnectionSource
{
    Any,
    SameIpOrLoopback,
    External,
}

/// <summary>
/// The validated match of one filter chain. Every list has at least one entry: "any" is port 0, an empty name, a null
/// prefix. Server names are exact in lower case, or begin with a dot for a wildcard.
/// </summary>
public sealed record FilterChainCriteria
{
    public int DestinationPort { get; init; }

    public IReadOnlyList<IPNetwork?> DestinationPrefixes { get; init; } = [null];

    public IReadOnlyList<string> ServerNames { get; init; } = [""];

    public string TransportProtocol { get; init; } = "";

    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [""];

    public IReadOnlyList<IPNetwork?> DirectSourcePrefixes { get; init; } = [null];

    public ConnectionSource SourceType { get; init; }

    public IReadOnlyList<IPNetwork?> SourcePrefixes { get; init; } = [null];

    public IReadOnlyList<int> SourcePorts { get; init; } = [0];
}
