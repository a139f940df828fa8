using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Failures;

/// <summary>
/// The failures of the last minutes, grouped. Fed at the end of failed exchanges only; bounded, the group that was seen
/// longest ago makes room. Any loop writes, in its own part; the admin interface reads.
/// </summary>
public sealed class FailureLog
{
    // More kinds of failure at once are noise; the parts of all loops together hold a few hundred kilobytes at most.
    private const int GroupsPerPart = 128;

    // Loops beyond that share parts.
    private const int Parts = 16;

    private const string PolicyDetails = "rbac_access_denied_matched_policy[";

    private readonly Dictionary<FailureKey, Group>[] _parts = [.. Enumerable.Range(0, Parts).Select(static _ => new Dictionary<FailureKey, Group>())];

    /// <summary>The log of the server.</summary>
    public static FailureLog Of(Singletons singletons) => singletons.Get("failures", static () => new FailureLog());

    /// <summary>Whether an exchange failed: a flag is set, the proxy answered with an error, or the backend did with 5xx.</summary>
    public static bool IsFailure(StreamInfo info)
    {
        if ((info.ResponseFlags & ~ResponseFlags.ResponseFromCacheFilter) != 0)
        {
            return true;
        }
        return info.ResponseCode >= 400 && info.ResponseCodeDetails switch
        {
            ResponseCodeDetails.ViaUpstream => info.ResponseCode >= 500,
            ResponseCodeDetails.DirectResponse or ResponseCodeDetails.AdminFilterResponse => false,
            _ => true,
        };
    }

    /// <summary>Notes a failed exchange; see <see cref="IsFailure"/>.</summary>
    /// <param name="headers">Of the request; null for connections.</param>
    public void Add(StreamInfo info, HeaderMap? headers = null)
    {
        var details = info.ResponseCodeDetails is { Length: > 0 } given ? given : info.ConnectionTerminationDetails;
        var key = new FailureKey(
            ResponseFlagNames.Join(info), info.ResponseCode, details,
            info.Upstream?.TransportFailureReason is { Length: > 0 } upstream ? upstream : info.DownstreamTransportFailureReason,
            info.Listener?.Name ?? "", info.VirtualHostName, info.RouteName, info.UpstreamCluster?.Name ?? info.Route?.ClusterName ?? "");
        var part = _parts[(EventLoop.Current?.Index ?? 0) % Parts];
        lock (part)
        {
            if (!part.TryGetValue(key, out var group))
            {
                MakeRoom(part);
                part[key] = group = new Group(key, DateTime.UtcNow);
            }
            group.Count++;
            group.Last = DateTime.UtcNow;
            group.Host = info.Upstream?.Host?.AddressText ?? "";
            group.Peer = PeerOf(info);
            group.Example = headers is null ? "" : ExampleOf(headers);
        }
    }

    /// <summary>Groups seen since a time (UTC), those seen last first.</summary>
    public IReadOnlyList<Failure> Since(DateTime time)
    {
        var merged = new Dictionary<FailureKey, Failure>();
        foreach (var part in _parts)
        {
            lock (part)
            {
                foreach (var group in part.Values)
                {
                    if (group.Last >= time)
                    {
                        merged[group.Key] = merged.TryGetValue(group.Key, out var known) ? Merge(known, group) : Of(group);
                    }
                }
            }
        }
        return [.. merged.Values.OrderByDescending(static failure => failure.Last)];
    }

    private static void MakeRoom(Dictionary<FailureKey, Group> part)
    {
        if (part.Count >= GroupsPerPart)
        {
            part.Remove(part.Values.MinBy(static group => group.Last)!.Key);
        }
    }

    private static Failure Of(Group group)
    {
        var key = group.Key;
        return new Failure(key.Flags, key.Code, key.Details, key.TransportFailure, PolicyOf(key.Details), key.Listener, key.VirtualHost,
            key.Route, key.Cluster, group.Host, group.Peer, group.Example, group.Count, group.First, group.Last);
    }

    private static Failure Merge(Failure known, Group group)
    {
        var (older, newer) = known.Last >= group.Last ? (Of(group), known) : (known, Of(group));
        return newer with { Count = older.Count + newer.Count, First = older.First < newer.First ? older.First : newer.First };
    }

    private static string PolicyOf(string details) =>
        details.StartsWith(PolicyDetails, StringComparison.Ordinal) && details.EndsWith(']') ? details[PolicyDetails.Length..^1] : "";

    private static string PeerOf(StreamInfo info) => info.DownstreamTls?.UriSansPeerCertificate is [var identity, ..] ? identity
        : info.Downstream.RemoteAddress is System.Net.IPEndPoint ip ? ip.Address.ToString() : info.Downstream.RemoteAddress.ToString() ?? "";

    // Queries may hold what is not for everybody's eyes.
    private static string ExampleOf(HeaderMap headers)
    {
        var path = headers.GetString(KnownHeader.Path) ?? "";
        var end = path.AsSpan().IndexOfAny('?', '#');
        return $"{headers.GetString(KnownHeader.Method)} {headers.GetString(KnownHeader.Authority)}{(end < 0 ? path : path[..end])}";
    }

    private sealed class Group(FailureKey key, DateTime first)
    {
        public FailureKey Key { get; } = key;

        public DateTime First { get; } = first;

        public DateTime Last { get; set; }

        public long Count { get; set; }

        public string Host { get; set; } = "";

        public string Peer { get; set; } = "";

        public string Example { get; set; } = "";
    }
}
