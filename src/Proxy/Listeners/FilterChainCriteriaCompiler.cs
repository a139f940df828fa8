using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Validates filter_chain_match and brings it into the form the matcher compiles.</summary>
internal static class FilterChainCriteriaCompiler
{
    public static FilterChainCriteria Compile(FilterChainMatch? match, string listener)
    {
        if (match is not { } m)
        {
            return new FilterChainCriteria();
        }
        if (m.AddressSuffix.Length > 0 || m.SuffixLen is not null)
        {
            throw new ConfigurationException(
                $"error adding listener '{listener}': filter chain match has unimplemented fields address_suffix, suffix_len; use prefix_ranges.");
        }
        return new FilterChainCriteria
        {
            DestinationPort = (int)(m.DestinationPort ?? 0),
            DestinationPrefixes = Prefixes(m.PrefixRanges, listener),
            ServerNames = ServerNames(m.ServerNames, listener),
            TransportProtocol = m.TransportProtocol,
            ApplicationProtocols = m.ApplicationProtocols.Count == 0 ? [""] : [.. m.ApplicationProtocols],
            DirectSourcePrefixes = Prefixes(m.DirectSourcePrefixRanges, listener),
            SourceType = (ConnectionSource)m.SourceType,
            SourcePrefixes = Prefixes(m.SourcePrefixRanges, listener),
            SourcePorts = m.SourcePorts.Count == 0 ? [0] : Ports(m.SourcePorts),
        };
    }

    private static List<int> Ports(ScalarList<uint> ports)
    {
        var list = new List<int>();
        foreach (var port in ports)
        {
            list.Add((int)port);
        }
        return list;
    }

    private static List<string> ServerNames(StringList names, string listener)
    {
        if (names.Count == 0)
        {
            return [""];
        }
        var list = new List<string>();
        foreach (var name in names)
        {
            var lower = name.ToLowerInvariant();
            if (lower.StartsWith("*.", StringComparison.Ordinal) && !lower[2..].Contains('*'))
            {
                list.Add(lower[1..]);
            }
            else if (lower.Contains('*'))
            {
                throw new ConfigurationException(
                    $"error adding listener '{listener}': partial wildcards are not supported in \"server_names\"");
            }
            else
            {
                list.Add(lower);
            }
        }
        return list;
    }

    private static List<IPNetwork?> Prefixes(MessageList<CidrRange> ranges, string listener)
    {
        if (ranges.Count == 0)
        {
            return [null];
        }
        var list = new List<IPNetwork?>();
        foreach (var range in ranges)
        {
            if (!IPAddress.TryParse(range.AddressPrefix, out var address))
            {
                throw new ConfigurationException(
                    $"error adding listener '{listener}': malformed IP address: {range.AddressPrefix}");
            }
            var full = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 128 : 32;
            list.Add(IpPrefix.Mask(address, (int)Math.Min(range.PrefixLen ?? 0, (uint)full)));
        }
        return list;
    }
}
