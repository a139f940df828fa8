using System.Collections.Immutable;

namespace MeshProxy.Interception.Settings;

/// <summary>
/// What to capture and how, validated. Names, defaults and meaning are those of istio-iptables' flags (see <see
/// cref="Flags"/>), so that an injector's arguments work unchanged.
/// </summary>
public sealed record InterceptionSettings
{
    public int OutboundCapturePort { get; init; } = Ports.OutboundCapture;
    public int InboundCapturePort { get; init; } = Ports.InboundCapture;
    public int InboundTunnelPort { get; init; } = Ports.InboundTunnel;

    /// <summary>
    /// Owners of the proxy's sockets: their traffic is never captured. Numbers, or names known to the host.
    /// </summary>
    public ImmutableArray<string> ProxyUsers { get; init; } = [Owners.DefaultId];
    public ImmutableArray<string> ProxyGroups { get; init; } = [Owners.DefaultId];

    /// <summary>
    /// Inbound connections keep their addresses (TPROXY in mangle) instead of being redirected (nat).
    /// </summary>
    public bool TransparentInbound { get; init; }
    public InboundPorts InboundPorts { get; init; } = InboundPorts.None;
    public ImmutableArray<int> ExcludedInboundPorts { get; init; } = [];
    public ImmutableArray<string> ExcludedInterfaces { get; init; } = [];
    public OutboundRanges OutboundRanges { get; init; } = OutboundRanges.None;
    public ImmutableArray<AddressRange> ExcludedOutboundRanges { get; init; } = [];
    public ImmutableArray<int> OutboundPorts { get; init; } = [];
    public ImmutableArray<int> ExcludedOutboundPorts { get; init; } = [];

    /// <summary>
    /// Interfaces behind which something else runs (a virtual machine): what enters there is treated as outbound.
    /// </summary>
    public ImmutableArray<string> VirtualInterfaces { get; init; } = [];

    /// <summary>
    /// Groups whose outbound traffic is captured; empty: those of everybody but <see cref="ExcludedOwnerGroups"/>.
    /// </summary>
    public ImmutableArray<string> OwnerGroups { get; init; } = [];
    public ImmutableArray<string> ExcludedOwnerGroups { get; init; } = [];
    public AddressRange IPv4Loopback { get; init; } = Owners.IPv4Loopback;

    public uint TransparentMark { get; init; } = 1337;
    public int TransparentRouteTable { get; init; } = 133;

    public bool RedirectDns { get; init; }

    /// <summary>Capture port 53 to any address, not only to the resolvers of resolv.conf.</summary>
    public bool CaptureAllDns { get; init; }
    public bool DropInvalid { get; init; }
    public bool DualStack { get; init; }

    public bool NativeNftables { get; init; }

    /// <summary>"legacy", "nft", or empty: decided by what the host uses.</summary>
    public string ForcedIptables { get; init; } = "";
    public string NetworkNamespace { get; init; } = "";

    /// <summary>
    /// The file system is the host's while the network is the pod's: no shared lock, no look-up of names over the
    /// network.
    /// </summary>
    public bool CniMode { get; init; }

    public bool DryRun { get; init; }
    public string DryRunFile { get; init; } = "";
    public bool SkipApply { get; init; }
    public bool RunValidation { get; init; }
    public int ProbePort { get; init; } = Ports.Probe;
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(5);
    public bool Reconcile { get; init; }
    public bool CleanupOnly { get; init; }
    public bool ForceApply { get; init; }
}
