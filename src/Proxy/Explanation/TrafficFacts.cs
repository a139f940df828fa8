using System.Net;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Which way traffic passes the proxy.</summary>
public enum TrafficSide
{
    /// <summary>Told from the destination: the proxy's own address is inbound.</summary>
    Automatic,
    Inbound,
    Outbound,
}

/// <summary>The connection, and perhaps the request on it, that an explanation is of.</summary>
public sealed record TrafficFacts
{
    public TrafficSide Side { get; init; }

    /// <summary>Name of the listener that takes the connection, instead of the one found by address; empty to find it.</summary>
    public string Listener { get; init; } = "";

    /// <summary>Where the client connects to.</summary>
    public required IPEndPoint Destination { get; init; }

    public required IPEndPoint Source { get; init; }

    /// <summary>The client speaks TLS to this proxy.</summary>
    public bool Tls { get; init; }

    /// <summary>SNI; empty if none.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>ALPN protocols the client offers.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>URI name of the client's certificate (`spiffe://…`); empty when it shows none.</summary>
    public string Principal { get; init; } = "";

    /// <summary>The request; null for bytes of another protocol.</summary>
    public RequestFacts? Request { get; init; }

    /// <summary>The draw that weights, fractions and balancers see.</summary>
    public ulong Random { get; init; }
}

/// <summary>An HTTP request.</summary>
/// <param name="Path">With its query.</param>
/// <param name="Headers">Besides method, authority and path.</param>
public sealed record RequestFacts(
    string Method, string Authority, string Path, bool Http2, IReadOnlyList<KeyValuePair<string, string>> Headers);
