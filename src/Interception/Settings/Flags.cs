namespace MeshProxy.Interception.Settings;

/// <summary>
/// The flags of istio-iptables, which injectors pass to `init`; their values are read by <see cref="SettingsReader"/>.
/// </summary>
public static class Flags
{
    public const string OutboundCapturePort = "envoy-port";
    public const string InboundCapturePort = "inbound-capture-port";
    public const string InboundTunnelPort = "inbound-tunnel-port";
    public const string ProxyUid = "proxy-uid";
    public const string ProxyGid = "proxy-gid";
    public const string Mode = "istio-inbound-interception-mode";
    public const string InboundPorts = "istio-inbound-ports";
    public const string InboundExclude = "istio-local-exclude-ports";
    public const string ExcludeInterfaces = "istio-exclude-interfaces";
    public const string OutboundRanges = "istio-service-cidr";
    public const string OutboundRangesExclude = "istio-service-exclude-cidr";
    public const string OutboundPorts = "istio-outbound-ports";
    public const string OutboundExclude = "istio-local-outbound-ports-exclude";
    public const string VirtualInterfaces = "kube-virt-interfaces";
    public const string Mark = "istio-inbound-tproxy-mark";
    public const string RouteTable = "istio-inbound-tproxy-route-table";
    public const string DryRun = "dry-run";
    public const string SkipApply = "skip-rule-apply";
    public const string RunValidation = "run-validation";
    public const string ProbePort = "iptables-probe-port";
    public const string ProbeTimeout = "probe-timeout";
    public const string RedirectDns = "redirect-dns";
    public const string CaptureAllDns = "capture-all-dns";
    public const string DropInvalid = "drop-invalid";
    public const string DualStack = "dual-stack";
    public const string NetworkNamespace = "network-namespace";
    public const string CniMode = "cni-mode";
    public const string Reconcile = "reconcile";
    public const string CleanupOnly = "cleanup-only";
    public const string ForceApply = "force-apply";
    public const string NativeNftables = "native-nftables";
    public const string ForceIptables = "force-iptables-binary";

    public const string LoopbackEnvironment = "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR";
    public const string OwnerGroupsEnvironment = "ISTIO_OUTBOUND_OWNER_GROUPS";
    public const string OwnerGroupsExcludeEnvironment = "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE";
    public const string ProxyUserEnvironment = "ENVOY_USER";
    public const string DryRunFileEnvironment = "DRY_RUN_FILE_PATH";

    public static readonly IReadOnlyList<FlagDefinition> All =
    [
        new(OutboundCapturePort, "port that captured outbound connections go to (15001)", 'p', FromEnvironment: false),
        new(InboundCapturePort, "port that captured inbound connections are sent to (15006)", 'z'),
        new(InboundTunnelPort, "port of the inbound tunnel, never redirected (15008)", 'e'),
        new(ProxyUid, "users whose traffic is the proxy's own (1337)", 'u'),
        new(ProxyGid, "groups whose traffic is the proxy's own (as the users)", 'g'),
        new(Mode, "REDIRECT, or TPROXY to keep the client's address", 'm'),
        new(InboundPorts, "inbound ports to capture, * for all (none)", 'b'),
        new(InboundExclude, "inbound ports not to capture when all are", 'd'),
        new(ExcludeInterfaces, "interfaces whose traffic is left alone", 'c'),
        new(OutboundRanges, "destinations to capture, * for all (none)", 'i'),
        new(OutboundRangesExclude, "destinations not to capture", 'x'),
        new(OutboundPorts, "outbound ports to capture whatever the destination", 'q'),
        new(OutboundExclude, "outbound ports not to capture", 'o'),
        new(VirtualInterfaces, "interfaces whose incoming traffic is outbound (virtual machines)", 'k'),
        new(Mark, "mark of intercepted packets with TPROXY (1337)", 't'),
        new(RouteTable, "routing table of marked packets with TPROXY (133)", 'r'),
        new(DryRun, "show the rules, change nothing", 'n', Boolean: true),
        new(SkipApply, "set up nothing; for --run-validation when a CNI plugin did", Boolean: true),
        new(RunValidation, "check with a connection that redirection works; exit 126 if not", Boolean: true),
        new(ProbePort, "port the check connects to (15002)"),
        new(ProbeTimeout, "how long the check may take (5s)"),
        new(RedirectDns, "capture DNS", Boolean: true, OtherEnvironment: "ISTIO_META_DNS_CAPTURE"),
        new(CaptureAllDns, "capture DNS to any server, not only those of resolv.conf", Boolean: true),
        new(DropInvalid, "drop packets that are invalid for connection tracking", Boolean: true, OtherEnvironment: "INVALID_DROP"),
        new(DualStack, "capture IPv6 also if the pod has IPv4", Boolean: true, OtherEnvironment: "ISTIO_DUAL_STACK"),
        new(NetworkNamespace, "path of the network namespace to work in"),
        new(CniMode, "the file system is the host's, the network the pod's", Boolean: true),
        new(Reconcile, "replace other interception rules that are found", Boolean: true),
        new(CleanupOnly, "remove interception rules, routes and addresses", Boolean: true, Alias: "cleanup"),
        new(ForceApply, "load the rules even if they are there", Boolean: true),
        new(NativeNftables, "use nft instead of iptables", Boolean: true),
        new(ForceIptables, "iptables to use: legacy or nft (what the host uses)"),
    ];
}
