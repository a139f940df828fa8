using System.Globalization;
using System.Net;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>Whom to ask and how: resolv.conf(5), or what configuration says instead.</summary>
internal sealed record ResolverSettings
{
    private const int DnsPort = 53;

    public IReadOnlyList<IPEndPoint> Servers { get; init; } = [];

    public IReadOnlyList<string> SearchDomains { get; init; } = [];

    /// <summary>Names with fewer dots are tried with the search domains first.</summary>
    public int Dots { get; init; } = 1;

    /// <summary>Of one query to one server (resolv.conf: 5 s).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rounds over the servers (c-ares: 4).</summary>
    public int Tries { get; init; } = 4;

    public bool UseTcp { get; init; }

    public static ResolverSettings FromSystem(string path = "/etc/resolv.conf")
    {
        var servers = new List<IPEndPoint>();
        var search = Array.Empty<string>();
        var dots = 1;
        foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2)
            {
                continue;
            }
            switch (words[0])
            {
                case "nameserver" when IPAddress.TryParse(words[1], out var address):
                    servers.Add(new IPEndPoint(address, DnsPort));
                    break;
                case "search" or "domain":
                    search = words[1..];
                    break;
                case "options":
                    dots = ReadDots(words) ?? dots;
                    break;
            }
        }
        if (servers.Count == 0)
        {
            servers.Add(new IPEndPoint(IPAddress.Loopback, DnsPort));
        }
        return new ResolverSettings { Servers = servers, SearchDomains = search, Dots = dots };
    }

    private static int? ReadDots(string[] options)
    {
        foreach (var option in options)
        {
            if (option.StartsWith("ndots:", StringComparison.Ordinal)
                && int.TryParse(option["ndots:".Length..], CultureInfo.InvariantCulture, out var dots))
            {
                return dots;
            }
        }
        return null;
    }
}
