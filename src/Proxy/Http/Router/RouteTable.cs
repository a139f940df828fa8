using System.Text;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled RouteConfiguration: immutable, read by all loops; every request uses the one it began with.</summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, VirtualHostEntry> _exact = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VirtualHostEntry>.AlternateLookup<ReadOnlySpan<char>> _exactBySpan;
    private readonly List<Wildcards> _suffixes = [];
    private readonly List<Wildcards> _prefixes = [];
    private readonly byte[] _hostHeader;
    private readonly bool _ignorePort;
    private VirtualHostEntry? _default;

    public RouteTable(string name, string hostHeader, bool ignorePort, bool ignorePathParameters)
    {
        Name = name;
        _exactBySpan = _exact.GetAlternateLookup<ReadOnlySpan<char>>();
        _hostHeader = Encoding.ASCII.GetBytes(hostHeader.ToLowerInvariant());
        _ignorePort = ignorePort;
        IgnoresPathParameters = ignorePathParameters;
    }

    public string Name { get; }

    public bool IgnoresPathParameters { get; }

    public PerFilterConfigs Configs { get; init; } = PerFilterConfigs.Empty;

    public DynamicMetadata Metadata { get; init; } = new();

    /// <summary>Lower-case names removed from external requests.</summary>
    public IReadOnlyList<byte[]> InternalOnlyHeaders { get; init; } = [];

    /// <summary>All virtual hosts, for config_dump and checks.</summary>
    public List<VirtualHostEntry> VirtualHosts { get; } = [];

    /// <summary>Adds a host under one of its domains; false if the domain is taken.</summary>
    public bool TryAdd(string domain, VirtualHostEntry host)
    {
        domain = domain.ToLowerInvariant();
        if (domain == "*")
        {
            var free = _default is null;
            _default ??= host;
            return free;
        }
        if (domain.StartsWith('*'))
        {
            return Wildcards.Add(_suffixes, domain[1..], host);
        }
        return domain.EndsWith('*') ? Wildcards.Add(_prefixes, domain[..^1], host) : _exact.TryAdd(domain, host);
    }

    /// <summary>The virtual host of a request; null if none fits.</summary>
    public VirtualHostEntry? FindHost(HeaderMap headers)
    {
        if (_exact.Count == 0 && _suffixes.Count == 0 && _prefixes.Count == 0)
        {
            return _default;
        }
        ReadOnlySpan<byte> host;
        if (_hostHeader.Length > 0)
        {
            if (!headers.TryGet(_hostHeader, out host))
            {
                return null;
            }
        }
        else if (!headers.TryGet(KnownHeader.Authority, out host))
        {
            return null;
        }
        if (_ignorePort && HeaderUtility.PortStart(host) is var colon and >= 0)
        {
            host = host[..colon];
        }
        Span<char> lower = host.Length <= 256 ? stackalloc char[256] : new char[host.Length];
        lower = lower[..host.Length];
        for (var i = 0; i < host.Length; i++)
        {
            lower[i] = (char)(host[i] is >= (byte)'A' and <= (byte)'Z' ? host[i] | 0x20 : host[i]);
        }
        return _exactBySpan.TryGetValue(lower, out var exact)
            ? exact
            : FindSuffix(lower) ?? FindPrefix(lower) ?? _default;
    }

    /// <summary>The route of a request with its cluster drawn; null when nothing fits.</summary>
    public RouteEntry? Route(HeaderMap headers, StreamInfo info, ulong random)
    {
        // Without knowing how the client came no route is safe to take.
        if (headers.Get(KnownHeader.XForwardedProto).IsEmpty || FindHost(headers) is not { } host)
        {
            return null;
        }
        if (RequiresTls(host, headers) is { } redirect)
        {
            return redirect;
        }
        var request = new RouteRequest(headers, info, random, IgnoresPathParameters);
        if (host.Tree is { } tree)
        {
            return tree.Find(request);
        }
        foreach (var route in host.RouteArray)
        {
            if (route.Match.Matches(request))
            {
                return route.Choose(request);
            }
        }
        return null;
    }

    private static RouteEntry? RequiresTls(VirtualHostEntry host, HeaderMap headers)
    {
        if (host.TlsRedirect is null || headers.Get(KnownHeader.XForwardedProto).SequenceEqual("https"u8))
        {
            return null;
        }
        var externalOnly = host.RequireTls == Envoy.Config.Route.V3.VirtualHost.TlsRequirementType.ExternalOnly;
        return externalOnly && headers.Get(KnownHeader.EnvoyInternalRequest).SequenceEqual("true"u8) ? null : host.TlsRedirect;
    }

    private VirtualHostEntry? FindSuffix(ReadOnlySpan<char> host)
    {
        foreach (var wildcards in _suffixes)
        {
            if (host.Length > wildcards.Length
                && wildcards.BySpan.TryGetValue(host[^wildcards.Length..], out var found))
            {
                return found;
            }
        }
        return null;
    }

    private VirtualHostEntry? FindPrefix(ReadOnlySpan<char> host)
    {
        foreach (var wildcards in _prefixes)
        {
            if (host.Length > wildcards.Length && wildcards.BySpan.TryGetValue(host[..wildcards.Length], out var found))
            {
                return found;
            }
        }
        return null;
    }

    /// <summary>Wildcard domains whose literal part has one length; lists hold the longest first.</summary>
    private sealed class Wildcards
    {
        private readonly Dictionary<string, VirtualHostEntry> _hosts = new(StringComparer.Ordinal);

        private Wildcards(int length)
        {
            Length = length;
            BySpan = _hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public int Length { get; }

        public Dictionary<string, VirtualHostEntry>.AlternateLookup<ReadOnlySpan<char>> BySpan { get; }

        public static bool Add(List<Wildcards> list, string literal, VirtualHostEntry host)
        {
            var wildcards = list.Find(one => one.Length == literal.Length);
            if (wildcards is null)
            {
                wildcards = new Wildcards(literal.Length);
                list.Add(wildcards);
                list.Sort((left, right) => right.Length.CompareTo(left.Length));
            }
            return wildcards._hosts.TryAdd(literal, host);
        }
    }
}
