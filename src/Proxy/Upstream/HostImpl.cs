using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.Health;
using MeshProxy.Proxy.Upstream.LoadBalancing;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// The host as its cluster holds it. Facts change on the main loop only and are published whole; flags and counts are atomic,
/// so any loop reads any member.
/// </summary>
internal sealed class HostImpl : Host
{
    private static readonly DynamicMetadata NoMetadata = new();

    private readonly ClusterEntry _cluster;
    private volatile HostDescription _facts;
    private volatile HostStats? _stats;
    private volatile IUpstreamTransportSocketFactory? _transportSocketFactory;
    private volatile IOutlierMonitor _outlier = NoOutlierMonitor.Instance;
    private volatile string? _addressText;
    private volatile ReportedWeight? _reportedWeight;
    private int _flags;
    private int _users;

    public HostImpl(ClusterEntry cluster, HostDescription facts, long now)
    {
        _cluster = cluster;
        _facts = facts;
        _flags = (int)facts.EdsHealth;
        LastHealthyTime = now;
    }

    public HostDescription Facts => _facts;

    public override ICluster Cluster => _cluster;

    public ClusterEntry Entry => _cluster;

    public override EndPoint Address => _facts.Address;

    public override string AddressText => _addressText ??= Addresses.Format(_facts.Address);

    public override string Hostname => _facts.Hostname;

    public override Locality Locality => _facts.Locality;

    public override uint Priority => _facts.Priority;

    public override uint Weight => _facts.Weight;

    public override DynamicMetadata Metadata => _facts.Metadata ?? NoMetadata;

    public DynamicMetadata LocalityMetadata => _facts.LocalityMetadata ?? NoMetadata;

    public override HostStats Stats =>
        _stats ?? Interlocked.CompareExchange(ref _stats, new HostStats(), null) ?? _stats;

    public HealthFlags Flags => (HealthFlags)Volatile.Read(ref _flags);

    public override HostHealth Health =>
        (Flags & HealthFlags.AnyUnhealthy) != 0 ? HostHealth.Unhealthy
        : (Flags & HealthFlags.AnyDegraded) != 0 ? HostHealth.Degraded
        : HostHealth.Healthy;

    public override IUpstreamTransportSocketFactory TransportSocketFactory =>
        _transportSocketFactory ??= _cluster.Info.TransportSockets.Resolve(Metadata, LocalityMetadata);

    public override IOutlierMonitor Outlier => _outlier;

    /// <summary>Where its counts are shown; null unless asked for.</summary>
    public IStatsScope? StatsScope { get; set; }

    /// <summary>Hears of `x-envoy-immediate-health-check-fail` when active checks run; on the main loop.</summary>
    public Action<HostImpl>? UnhealthyByTraffic { get; set; }

    public override bool Canary =>
        Metadata.Get("envoy.lb", "canary") is MetadataValue.BoolNode { Value: true };

    public override IReadOnlyList<KeyValuePair<byte, byte[]>> ProxyProtocolTlvs => _facts.ProxyProtocolTlvs;

    /// <summary>Loop time in milliseconds when the host last became healthy, or was made: start of the slow-start window.</summary>
    public long LastHealthyTime { get; set; }

    /// <summary>Weight and expiry of client-side weighted round robin; null until a report came.</summary>
    public ReportedWeight? ReportedWeight => _reportedWeight;

    /// <summary>Below the limit of per_host_thresholds.</summary>
    public bool CanConnect =>
        _cluster.Info.PerHostMaxConnections is not { } limit || (ulong)Math.Max(0, Volatile.Read(ref Stats.CxActive)) < limit;

    /// <summary>Pooled connections and requests that hold the host; ORIGINAL_DST keeps hosts in use.</summary>
    public bool InUse => Volatile.Read(ref _users) > 0;

    public void Acquire() => Interlocked.Increment(ref _users);

    public void Release() => Interlocked.Decrement(ref _users);

    public bool Has(HealthFlags flags) => (Flags & flags) != 0;

    public void Set(HealthFlags flags) => Interlocked.Or(ref _flags, (int)flags);

    public void Clear(HealthFlags flags) => Interlocked.And(ref _flags, ~(int)flags);

    public void SetOutlierMonitor(IOutlierMonitor monitor) => _outlier = monitor;

    /// <summary>Takes over changed facts of an endpoint that stays the same host. True when something changed.</summary>
    public bool Update(HostDescription facts)
    {
        var old = _facts;
        var metadataChanged = !MetadataEquality.Equal(old.Metadata, facts.Metadata)
            || !MetadataEquality.Equal(old.LocalityMetadata, facts.LocalityMetadata);
        var before = Health;
        _facts = facts;
        if (!Equals(old.Address, facts.Address))
        {
            _addressText = null;
        }
        if (metadataChanged)
        {
            _transportSocketFactory = null;
        }
        Clear(old.EdsHealth & ~facts.EdsHealth);
        Set(facts.EdsHealth);
        // One kind of unhealthy for another needs no new lists.
        return metadataChanged || before != Health || old.Weight != facts.Weight || old.Priority != facts.Priority;
    }

    /// <summary>Takes a weight the host reported; from any loop, the last one wins.</summary>
    public void Report(double weight, long now) =>
        _reportedWeight = new ReportedWeight(weight, _reportedWeight?.FirstReport ?? now, now);

    public override void SetUnhealthyByTraffic()
    {
        if (UnhealthyByTraffic is { } hear)
        {
            _cluster.MainLoop.Post(() => hear(this));
        }
    }

    public override string ToString() => AddressText;
}
