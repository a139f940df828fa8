using System.Net;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// The addresses of a connection and what the listener filters learned (Envoy's ConnectionInfoSetter). Unix sockets use
/// <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>, internal listeners <see cref="InternalEndPoint"/>.
/// </summary>
public sealed class ConnectionInfo
{
    public required EndPoint LocalAddress { get; set; }

    /// <summary>The socket's own local address, before original_dst or proxy_protocol changed it.</summary>
    public required EndPoint DirectLocalAddress { get; init; }

    /// <summary>True once a listener filter restored the original destination.</summary>
    public bool LocalAddressRestored { get; private set; }

    public required EndPoint RemoteAddress { get; set; }

    /// <summary>The TCP peer, whatever proxy_protocol said.</summary>
    public required EndPoint DirectRemoteAddress { get; init; }

    /// <summary>SNI in lower case; empty if none.</summary>
    public string RequestedServerName { get; set; } = "";

    /// <summary>ALPN protocols offered, as tls_inspector or http_inspector saw them.</summary>
    public IReadOnlyList<string> RequestedApplicationProtocols { get; set; } = [];

    /// <summary>"tls" or "raw_buffer" once detected; empty before.</summary>
    public string DetectedTransportProtocol { get; set; } = "";

    public string Ja3Hash { get; set; } = "";

    public string Ja4Hash { get; set; } = "";

    public ulong ConnectionId { get; init; }

    /// <summary>Where upstream connections made for this one come from (original_src); null lets the cluster decide.</summary>
    public UpstreamSource? UpstreamSource { get; set; }

    /// <summary>The same facts with another client address (x-forwarded-for), for one request.</summary>
    public ConnectionInfo WithRemoteAddress(EndPoint address)
    {
        var copy = (ConnectionInfo)MemberwiseClone();
        copy.RemoteAddress = address;
        return copy;
    }

    public void RestoreLocalAddress(EndPoint address)
    {
        LocalAddress = address;
        LocalAddressRestored = true;
    }
}

/// <summary>A foreign source address of upstream connections and the mark of their sockets (0 is none).</summary>
public sealed record UpstreamSource(EndPoint Address, uint Mark);
