using System.Net;
using MeshProxy.Proxy.Upstream.Dns;

namespace MeshProxy.Proxy.Upstream.DynamicForwardProxy;

/// <summary>One name of the cache. Addresses are published whole, so any loop may read them.</summary>
internal sealed class DnsCacheEntry(string key, string host, int port)
{
    private volatile IPEndPoint[] _addresses = [];
    private volatile string _details = "";
    private long _lastUsed;

    /// <summary>`host:port` in lower case.</summary>
    public string Key { get; } = key;

    public string Host { get; } = host;

    public int Port { get; } = port;

    /// <summary>The first answer came, good or bad.</summary>
    public bool Resolved { get; set; }

    /// <summary>Empty while there is none.</summary>
    public IPEndPoint[] Addresses => _addresses;

    /// <summary>Why there is none, for logs.</summary>
    public string Details => _details;

    /// <summary>Loop milliseconds.</summary>
    public long LastUsed => Volatile.Read(ref _lastUsed);

    public void Touch(long now) => Volatile.Write(ref _lastUsed, now);

    /// <summary>Takes an answer; a bad one keeps what was there. True when the addresses are others.</summary>
    public bool Take(DnsAnswer answer)
    {
        Resolved = true;
        if (answer.Addresses.Count == 0)
        {
            _details = answer.Details;
            return false;
        }
        _details = "";
        var addresses = new IPEndPoint[answer.Addresses.Count];
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i] = new IPEndPoint(answer.Addresses[i].Address, Port);
        }
        if (addresses.AsSpan().SequenceEqual(_addresses))
        {
            return false;
        }
        _addresses = addresses;
        return true;
    }
}
