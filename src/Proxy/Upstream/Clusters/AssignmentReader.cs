using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>Reads a ClusterLoadAssignment into hosts.</summary>
internal static class AssignmentReader
{
    // ClusterLoadAssignment.endpoints: sums of weights are kept in 32 bits.
    private const string WeightRule = "The sum of weights must not exceed 4294967295";

    /// <summary>All endpoints must be addresses.</summary>
    public static HostAssignment Read(ClusterLoadAssignment assignment) =>
        Read(assignment, static (endpoint, _) => Addresses.Resolve(endpoint.Address!.Value));

    /// <param name="resolve">Gives an endpoint's address.</param>
    public static HostAssignment Read(ClusterLoadAssignment assignment, Func<Endpoint, Locality, EndPoint> resolve)
    {
        var hosts = new HostAssignment(ReadPolicy(assignment));
        foreach (var group in assignment.Endpoints)
        {
            var locality = ReadLocality(group.Locality);
            var priority = hosts.Priority(group.Priority);
            ulong sum = 0;
            if (group.LoadBalancingWeight is { } weight)
            {
                priority.SetLocalityWeight(locality, weight);
                if (priority.LocalityWeights!.Values.Sum(static each => (long)each) > uint.MaxValue)
                {
                    throw new ConfigurationException(
                        $"The sum of weights of all localities at the same priority exceeds 4294967295 in {assignment.ClusterName}.");
                }
            }
            var localityMetadata = MetadataEquality.Read(group.Metadata);
            foreach (var endpoint in group.LbEndpoints)
            {
                var host = Describe(endpoint, locality, group.Priority, localityMetadata, resolve);
                priority.Hosts.Add(host);
                sum += host.Weight;
                if (sum > uint.MaxValue)
                {
                    throw new ConfigurationException($"{WeightRule} for locality {locality} of {assignment.ClusterName}.");
                }
            }
        }
        return hosts;
    }

    public static HostSetPolicy ReadPolicy(ClusterLoadAssignment assignment) => assignment.PolicyValue is { } policy
        ? new HostSetPolicy(policy.OverprovisioningFactor ?? HostSet.DefaultOverprovisioningFactor, policy.WeightedPriorityHealth)
        : HostSetPolicy.Default;

    public static Locality ReadLocality(Envoy.Config.Core.V3.Locality? locality) =>
        locality is { } given ? new Locality(given.Region, given.Zone, given.SubZone) : Locality.None;

    public static HostDescription Describe(
        LbEndpoint lbEndpoint, Locality locality, uint priority, DynamicMetadata? localityMetadata, Func<Endpoint, Locality, EndPoint> resolve)
    {
        if (lbEndpoint.Endpoint is not { Address: not null } endpoint)
        {
            throw new ConfigurationException("lb_endpoints.endpoint has no address: give socket_address, pipe or envoy_internal_address.");
        }
        var check = endpoint.HealthCheckConfigValue;
        var address = resolve(endpoint, locality);
        return new HostDescription
        {
            Address = address,
            AdditionalAddresses = ReadAdditional(endpoint),
            Hostname = endpoint.Hostname,
            Locality = locality,
            Metadata = MetadataEquality.Read(lbEndpoint.Metadata),
            LocalityMetadata = localityMetadata,
            ProxyProtocolTlvs = ReadTlvs(lbEndpoint),
            Weight = lbEndpoint.LoadBalancingWeight ?? 1,
            Priority = priority,
            EdsHealth = ReadHealth(lbEndpoint.HealthStatus),
            EdsStatus = lbEndpoint.HealthStatus,
            HealthCheckAddress = ReadHealthCheckAddress(check, address),
            HealthCheckHostname = check?.Hostname ?? "",
            DisableActiveHealthCheck = check?.DisableActiveHealthCheck ?? false,
        };
    }

    private static EndPoint? ReadHealthCheckAddress(Endpoint.HealthCheckConfig? config, EndPoint address)
    {
        if (config is not { } check)
        {
            return null;
        }
        var basis = check.Address is { } other ? Addresses.Resolve(other) : address;
        return check.PortValue != 0 && basis is IPEndPoint ip ? AddressFormat.WithPort(ip, (int)check.PortValue)
            : check.Address is null ? null
            : basis;
    }

    private static KeyValuePair<byte, byte[]>[] ReadTlvs(LbEndpoint endpoint)
    {
        if (endpoint.Metadata is not { TypedFilterMetadata.Count: > 0 } metadata
            || !metadata.TypedFilterMetadata.TryGetValue("envoy.transport_sockets.proxy_protocol", out var any)
            || !any.TryUnpack<PerHostConfig>(out var config))
        {
            return [];
        }
        var tlvs = new KeyValuePair<byte, byte[]>[config.AddedTlvs.Count];
        for (var i = 0; i < tlvs.Length; i++)
        {
            tlvs[i] = new((byte)config.AddedTlvs[i].Type, config.AddedTlvs[i].Value.ToArray());
        }
        return tlvs;
    }

    private static EndPoint[] ReadAdditional(Endpoint endpoint)
    {
        var additional = endpoint.AdditionalAddresses;
        if (additional.Count == 0)
        {
            return [];
        }
        var addresses = new EndPoint[additional.Count];
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i] = Addresses.Resolve(additional[i].Address!.Value);
        }
        return addresses;
    }

    private static HealthFlags ReadHealth(HealthStatus status) => status switch
    {
        HealthStatus.Unhealthy or HealthStatus.Timeout => HealthFlags.FailedEdsHealth,
        HealthStatus.Draining => HealthFlags.EdsStatusDraining,
        HealthStatus.Degraded => HealthFlags.DegradedEdsHealth,
        _ => HealthFlags.None,
    };
}
