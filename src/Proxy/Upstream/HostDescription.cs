using System.Net;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>What discovery says of one endpoint.</summary>
internal sealed record HostDescription
{
    public required EndPoint Address { get; init; }

    /// <summary>Further addresses of the same endpoint, for Happy Eyeballs.</summary>
    public IReadOnlyList<EndPoint> AdditionalAddresses { get; init; } = [];

    public string Hostname { get; init; } = "";

    public Locality Locality { get; init; } = Locality.None;

    public DynamicMetadata? Metadata { get; init; }

    public DynamicMetadata? LocalityMetadata { get; init; }

    /// <summary>Of PerHostConfig in the typed metadata.</summary>
    public IReadOnlyList<KeyValuePair<byte, byte[]>> ProxyProtocolTlvs { get; init; } = [];

    public uint Weight { get; init; } = 1;

    public uint Priority { get; init; }

    /// <summary>As discovery named it, for the admin interface.</summary>
    public Envoy.Config.Core.V3.HealthStatus EdsStatus { get; init; }

    /// <summary>Flags that discovery sets: failed, degraded, draining.</summary>
    public HealthFlags EdsHealth { get; init; }

    public EndPoint? HealthCheckAddress { get; init; }

    public string HealthCheckHostname { get; init; } = "";

    public bool DisableActiveHealthCheck { get; init; }

    /// <summary>All addresses in the order they are to be tried.</summary>
    public EndPoint[] ConnectAddresses(ClusterInfo cluster) => cluster.HappyEyeballs.Sort(Address, AdditionalAddresses);
}
