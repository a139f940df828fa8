namespace MeshProxy.Injection.Pods;

/// <summary>Names that pods, istiod, istioctl and the CNI plugin agree on (istio/api annotation and label).</summary>
internal static class MeshNames
{
    public const string ProxyContainer = "istio-proxy";
    public const string InitContainer = "istio-init";
    public const string ValidationContainer = "istio-validation";
    public const string CoreDumpContainer = "enable-core-dump";

    public const string Inject = "sidecar.istio.io/inject";
    public const string Status = "sidecar.istio.io/status";
    public const string Overrides = "proxy.istio.io/overrides";
    public const string ProxyConfig = "proxy.istio.io/config";
    public const string Templates = "inject.istio.io/templates";
    public const string Revision = "istio.io/rev";
    public const string NativeSidecar = "sidecar.istio.io/nativeSidecar";
    public const string RewriteProbes = "sidecar.istio.io/rewriteAppHTTPProbers";
    public const string StatusPort = "status.sidecar.istio.io/port";
    public const string InterceptionMode = "sidecar.istio.io/interceptionMode";
    public const string ProxyImage = "sidecar.istio.io/proxyImage";
    public const string ProxyImageType = "sidecar.istio.io/proxyImageType";
    public const string ProxyCpu = "sidecar.istio.io/proxyCPU";
    public const string ProxyMemory = "sidecar.istio.io/proxyMemory";
    public const string ProxyCpuLimit = "sidecar.istio.io/proxyCPULimit";
    public const string ProxyMemoryLimit = "sidecar.istio.io/proxyMemoryLimit";
    public const string LogLevel = "sidecar.istio.io/logLevel";
    public const string ComponentLogLevel = "sidecar.istio.io/componentLogLevel";
    public const string AgentLogLevel = "sidecar.istio.io/agentLogLevel";
    public const string BootstrapOverride = "sidecar.istio.io/bootstrapOverride";
    public const string UserVolume = "sidecar.istio.io/userVolume";
    public const string UserVolumeMount = "sidecar.istio.io/userVolumeMount";
    public const string CapNetBindService = "sidecar.istio.io/capNetBindService";
    public const string ReadinessInitialDelay = "readiness.status.sidecar.istio.io/initialDelaySeconds";
    public const string ReadinessPeriod = "readiness.status.sidecar.istio.io/periodSeconds";
    public const string ReadinessFailures = "readiness.status.sidecar.istio.io/failureThreshold";
    public const string IncludeOutboundRanges = "traffic.sidecar.istio.io/includeOutboundIPRanges";
    public const string ExcludeOutboundRanges = "traffic.sidecar.istio.io/excludeOutboundIPRanges";
    public const string IncludeInboundPorts = "traffic.sidecar.istio.io/includeInboundPorts";
    public const string ExcludeInboundPorts = "traffic.sidecar.istio.io/excludeInboundPorts";
    public const string IncludeOutboundPorts = "traffic.sidecar.istio.io/includeOutboundPorts";
    public const string ExcludeOutboundPorts = "traffic.sidecar.istio.io/excludeOutboundPorts";
    public const string ExcludeInterfaces = "traffic.sidecar.istio.io/excludeInterfaces";
    public const string KubevirtInterfaces = "traffic.sidecar.istio.io/kubevirtInterfaces";
    public const string RerouteInterfaces = "istio.io/reroute-virtual-interfaces";
    public const string MergeMetrics = "prometheus.istio.io/merge-metrics";
    public const string SecurePort = "prometheus.istio.io/secure-port";
    public const string DatadogEnvironment = "apm.datadoghq.com/env";
    public const string MultusNetworks = "k8s.v1.cni.cncf.io/networks";
    public const string DefaultContainer = "kubectl.kubernetes.io/default-container";
    public const string DefaultLogsContainer = "kubectl.kubernetes.io/default-logs-container";

    public const string NetworkLabel = "topology.istio.io/network";
    public const string TlsModeLabel = "security.istio.io/tlsMode";
    public const string CanonicalNameLabel = "service.istio.io/canonical-name";
    public const string CanonicalRevisionLabel = "service.istio.io/canonical-revision";
    public const string TunnelLabel = "networking.istio.io/tunnel";

    public const string ClusterVariable = "ISTIO_META_CLUSTER_ID";
    public const string NetworkVariable = "ISTIO_META_NETWORK";
    public const string ProbersVariable = "ISTIO_KUBE_APP_PROBERS";
    public const string PrometheusVariable = "ISTIO_PROMETHEUS_ANNOTATIONS";
}
