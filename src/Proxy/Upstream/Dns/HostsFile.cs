using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>/etc/hosts, read anew when it changed.</summary>
internal sealed class HostsFile(string path = "/etc/hosts")
{
    private readonly object _gate = new();
    private Dictionary<string, List<IPAddress>> _entries = [];
    private DateTime _read;

    public List<IPAddress> Find(string name, AddressFamily family)
    {
        lock (_gate)
        {
            Refresh();
            return _entries.TryGetValue(name.TrimEnd('.'), out var all) ? all.FindAll(address => address.AddressFamily == family) : [];
        }
    }

    public bool Knows(string name)
    {
        lock (_gate)
        {
            Refresh();
            return _entries.ContainsKey(name.TrimEnd('.'));
        }
    }

    private void Refresh()
    {
        var changed = File.GetLastWriteTimeUtc(path);
        if (changed == _read)
        {
            return;
        }
        _read = changed;
        _entries = new Dictionary<string, List<IPAddress>>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
        {
            return;
        }
        foreach (var line in File.ReadLines(path))
        {
            var comment = line.IndexOf('#');
            var words = (comment < 0 ? line : line[..comment]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || !IPAddress.TryParse(words[0], out var address))
            {
                continue;
            }
            foreach (var name in words.AsSpan(1))
            {
                if (!_entries.TryGetValue(name, out var addresses))
                {
                    _entries[name] = addresses = [];
                }
                addresses.Add(address);
            }
        }
    }
}
