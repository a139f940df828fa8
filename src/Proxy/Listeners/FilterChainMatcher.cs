using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>
/// Finds the filter chain of a connection: nine criteria in Envoy's order (upstream 18), each narrowing to its most specific
/// match without ever backtracking. Compiled from all chains of a listener into nested lookups.
/// </summary>
public sealed class FilterChainMatcher
{
    private readonly Dictionary<int, PrefixTable<NameTable>> _byDestinationPort = [];

    /// <summary>Adds a chain under every combination of its criteria; the chain already there when one is taken, else null.</summary>
    public CompiledFilterChain? Add(FilterChainCriteria criteria, CompiledFilterChain chain)
    {
        var byAddress = GetOrAdd(_byDestinationPort, criteria.DestinationPort);
        foreach (var destination in criteria.DestinationPrefixes)
        {
            var byName = byAddress.GetOrAdd(destination);
            foreach (var name in criteria.ServerNames)
            {
                var byProtocol = GetOrAdd(GetOrAdd(byName.ByServerName, name).ByTransport, criteria.TransportProtocol);
                foreach (var application in criteria.ApplicationProtocols)
                {
                    if (AddSource(GetOrAdd(byProtocol.ByApplication, application), criteria, chain) is { } taken)
                    {
                        return taken;
                    }
                }
            }
        }
        return null;
    }

    /// <summary>The chain for the connection; null when none matches (the listener's default chain is the caller's concern).</summary>
    public CompiledFilterChain? Find(ConnectionInfo info)
    {
        var local = info.LocalAddress as IPEndPoint;
        if (local is not null && _byDestinationPort.TryGetValue(local.Port, out var byPort) && local.Port != 0)
        {
            return FindByDestination(byPort, local.Address, info);
        }
        return _byDestinationPort.TryGetValue(0, out var anyPort) ? FindByDestination(anyPort, local?.Address, info) : null;
    }

    private static CompiledFilterChain? FindByDestination(PrefixTable<NameTable> table, IPAddress? address, ConnectionInfo info) =>
        table.Find(address) is { } names ? FindByName(names, info) : null;

    private static CompiledFilterChain? FindByName(NameTable names, ConnectionInfo info)
    {
        var name = info.RequestedServerName;
        if (name.Length > 0)
        {
            if (names.ByServerName.TryGetValue(name, out var exact))
            {
                return FindByTransport(exact, info);
            }
            for (var dot = name.IndexOf('.', 1); dot >= 0 && dot < name.Length - 1; dot = name.IndexOf('.', dot + 1))
            {
                if (names.ByServerName.TryGetValue(name[dot..], out var wildcard))
                {
                    return FindByTransport(wildcard, info);
                }
            }
        }
        return names.ByServerName.TryGetValue("", out var any) ? FindByTransport(any, info) : null;
    }

    private static CompiledFilterChain? FindByTransport(TransportTable table, ConnectionInfo info)
    {
        if (table.ByTransport.TryGetValue(info.DetectedTransportProtocol, out var exact)
            && info.DetectedTransportProtocol.Length > 0)
        {
            return FindByApplication(exact, info);
        }
        return table.ByTransport.TryGetValue("", out var any) ? FindByApplication(any, info) : null;
    }

    private static CompiledFilterChain? FindByApplication(ApplicationTable table, ConnectionInfo info)
    {
        // By index: enumerating an interface allocates.
        var offered = info.RequestedApplicationProtocols;
        for (var i = 0; i < offered.Count; i++)
        {
            if (table.ByApplication.TryGetValue(offered[i], out var exact))
            {
                return FindBySource(exact, info);
            }
        }
        return table.ByApplication.TryGetValue("", out var any) ? FindBySource(any, info) : null;
    }

    private static CompiledFilterChain? FindBySource(PrefixTable<SourceTable> table, ConnectionInfo info)
    {
        var direct = (info.DirectRemoteAddress as IPEndPoint)?.Address;
        if (table.Find(direct) is not { } source)
        {
            return null;
        }
        var narrowed = source.Any;
        if (source.Local is not null || source.External is not null)
        {
            narrowed = IsLocal(info) ? source.Local ?? source.Any : source.External ?? source.Any;
        }
        var remote = info.RemoteAddress as IPEndPoint;
        if (narrowed?.Find(remote?.Address) is not { } ports)
        {
            return null;
        }
        return remote is not null && ports.ByPort.TryGetValue(remote.Port, out var exact)
            ? exact
            : ports.ByPort.GetValueOrDefault(0);
    }

    // 127.0.0.1 and ::1 alone: other addresses of 127/8 are external, as recorded.
    private static bool IsLocal(ConnectionInfo info)
    {
        if (info.RemoteAddress is not IPEndPoint remote)
        {
            return info.RemoteAddress is UnixDomainSocketEndPoint or InternalEndPoint;
        }
        return remote.Address.Equals(IPAddress.Loopback) || remote.Address.Equals(IPAddress.IPv6Loopback)
            || (info.LocalAddress is IPEndPoint local && local.Address.Equals(remote.Address));
    }

    private static CompiledFilterChain? AddSource(PrefixTable<SourceTable> table, FilterChainCriteria criteria, CompiledFilterChain chain)
    {
        foreach (var direct in criteria.DirectSourcePrefixes)
        {
            var byType = table.GetOrAdd(direct);
            var byPrefix = criteria.SourceType switch
            {
                ConnectionSource.SameIpOrLoopback => byType.Local ??= new PrefixTable<PortTable>(),
                ConnectionSource.External => byType.External ??= new PrefixTable<PortTable>(),
                _ => byType.Any ??= new PrefixTable<PortTable>(),
            };
            foreach (var source in criteria.SourcePrefixes)
            {
                var ports = byPrefix.GetOrAdd(source).ByPort;
                foreach (var port in criteria.SourcePorts)
                {
                    if (!ports.TryAdd(port, chain))
                    {
                        return ports[port];
                    }
                }
            }
        }
        return null;
    }

    private static TValue GetOrAdd<TKey, TValue>(Dictionary<TKey, TValue> table, TKey key)
        where TKey : notnull
        where TValue : new()
    {
        if (!table.TryGetValue(key, out var value))
        {
            table[key] = value = new TValue();
        }
        return value;
    }

    private sealed class NameTable
    {
        public Dictionary<string, TransportTable> ByServerName { get; } = new(StringComparer.Ordinal);
    }

    private sealed class TransportTable
    {
        public Dictionary<string, ApplicationTable> ByTransport { get; } = new(StringComparer.Ordinal);
    }

    private sealed class ApplicationTable
    {
        public Dictionary<string, PrefixTable<SourceTable>> ByApplication { get; } = new(StringComparer.Ordinal);
    }

    private sealed class SourceTable
    {
        public PrefixTable<PortTable>? Any { get; set; }

        public PrefixTable<PortTable>? Local { get; set; }

        public PrefixTable<PortTable>? External { get; set; }
    }

    private sealed class PortTable
    {
        public Dictionary<int, CompiledFilterChain> ByPort { get; } = [];
    }
}
