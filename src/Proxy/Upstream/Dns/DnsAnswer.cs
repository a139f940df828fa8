using System.Net;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>How a name resolved. An answer without addresses is a success too: the name has none.</summary>
/// <param name="Failure">What went wrong; null when an answer came.</param>
internal sealed record DnsAnswer(IReadOnlyList<DnsAddress> Addresses, string? Failure = null)
{
    public static readonly DnsAnswer Empty = new([]);

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
