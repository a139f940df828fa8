using System.Net;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>How a name resolved. An answer without addresses is a success too: the name has none.</summary>
/// <param name="Failure">What went wrong; null when an answer came.</param>
/// <param name="Details">As Envoy's resolver tells it in logs, `cares_norecords:…`; empty when there are addresses.</param>
internal sealed record DnsAnswer(IReadOnlyList<DnsAddress> Addresses, string? Failure = null, string Details = "")
{
    /// <summary>The name does not exist.</summary>
    public static readonly DnsAnswer NoName = new([], null, "cares_norecords:Domain name not found");

    /// <summary>The name exists, but has no address of the kind.</summary>
    public static readonly DnsAnswer NoData = new([], null, "cares_norecords:DNS server returned answer with no data");

    public static DnsAnswer Failed(string reason) => new([], reason, $"cares_failure:{reason}");

    /// <summary>The shortest time the addresses may be kept; null without addresses.</summary>
    public TimeSpan? MinTtl
    {
        get
        {
            TimeSpan? least = null;
            foreach (var address in Addresses)
            {
                least = least is null || address.Ttl < least ? address.Ttl : least;
            }
            return least;
        }
    }
}

internal readonly record struct DnsAddress(IPAddress Address, TimeSpan Ttl);
