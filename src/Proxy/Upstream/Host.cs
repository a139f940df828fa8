using System.Net;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// One endpoint of a cluster. Shared by all loops: facts are immutable or swapped whole, counts are atomic. Carried over an
/// EDS update when address, hostname and locality stay (upstream 1).
/// </summary>
public abstract class Host
{
    public abstract ICluster Cluster { get; }

    public abstract EndPoint Address { get; }

    /// <summary>Address as Envoy prints it: `10.0.0.1:80`, `[::1]:80`, a Unix path, `envoy://…`.</summary>
    public abstract string AddressText { get; }

    /// <summary>The endpoint's hostname; empty if none.</summary>
    public abstract string Hostname { get; }

    public abstract Locality Locality { get; }

    public abstract uint Priority { get; }

    public abstract uint Weight { get; }

    public abstract DynamicMetadata Metadata { get; }

    public abstract HostHealth Health { get; }

    public abstract HostStats Stats { get; }

    /// <summary>The transport socket of transport_socket_matches chosen by the endpoint's metadata.</summary>
    public abstract Transport.IUpstreamTransportSocketFactory TransportSocketFactory { get; }

    /// <summary>Outlier detection's ear: response codes and local-origin results.</summary>
    public abstract IOutlierMonitor Outlier { get; }

    public abstract bool Canary { get; }

    /// <summary>TLVs that the endpoint's metadata adds to PROXY protocol headers (core.v3.PerHostConfig).</summary>
    public virtual IReadOnlyList<KeyValuePair<byte, byte[]>> ProxyProtocolTlvs => [];

    /// <summary>`x-envoy-immediate-health-check-fail` came with traffic: with active checks the host fails at once, else nothing. From any loop.</summary>
    public abstract void SetUnhealthyByTraffic();
}

public enum HostHealth
{
    Unhealthy,
    Degraded,
    Healthy,
}

/// <summary>Where an endpoint is.</summary>
public sealed record Locality(string Region, string Zone, string SubZone)
{
    public static readonly Locality None = new("", "", "");
}

/// <summary>Live counts of a host, exact across loops (atomic); shown by /clusters.</summary>
public sealed class HostStats
{
    public long CxActive;
    public long CxTotal;
    public long CxConnectFail;
    public long RqActive;
    public long RqPendingActive;
    public long RqTotal;
    public long RqSuccess;
    public long RqError;
    public long RqTimeout;
}

/// <summary>What a finished or failed attempt means for outlier detection.</summary>
public interface IOutlierMonitor
{
    void PutHttpResponseCode(int code);

    /// <param name="code">HTTP code of the local reply made for it; 0 takes the result's own (503 or 504).</param>
    void PutResult(OutlierResult result, int code = 0);

    void PutResponseTime(TimeSpan time);

    int NumEjections { get; }

    bool Ejected { get; }
}

public enum OutlierResult
{
    LocalOriginTimeout,
    LocalOriginConnectFailed,
    LocalOriginConnectSuccess,
    LocalOriginConnectSuccessFinal,
    ExtOriginRequestFailed,
    ExtOriginRequestSuccess,
}
