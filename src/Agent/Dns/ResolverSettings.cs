using System.Net;

namespace MeshProxy.Agent.Dns;

/// <summary>The pod's resolv.conf: who is asked about names that are not ours, and the search list.</summary>
/// <param name="Servers">In the file's order.</param>
/// <param name="Search">The search list.</param>
internal sealed record ResolverSettings(IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<string> Search)
{
    private const int Port = 53;

    public static ResolverSettings Read(string path)
    {
        var servers = new List<IPEndPoint>();
        string[] search = [];
        foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var server, ..] && IPAddress.TryParse(server, out var address))
                servers.Add(new IPEndPoint(address, Port));
            else if (words is ["search", ..])
                search = words[1..];
        }
        return new ResolverSettings(servers, search);
    }
}
