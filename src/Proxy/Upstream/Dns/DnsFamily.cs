namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>dns_lookup_family.</summary>
internal enum DnsFamily
{
    /// <summary>IPv6, and IPv4 when there is none.</summary>
    Auto,
    V4Only,
    V6Only,

    /// <summary>IPv4, and IPv6 when there is none.</summary>
    V4Preferred,
    All,
}
