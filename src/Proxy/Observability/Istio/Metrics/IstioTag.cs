namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Istio's standard labels, in the order they are shown.</summary>
internal enum IstioTag
{
    Reporter,
    SourceWorkload,
    SourceCanonicalService,
    SourceCanonicalRevision,
    SourceWorkloadNamespace,
    SourcePrincipal,
    SourceApp,
    SourceVersion,
    SourceCluster,
    DestinationWorkload,
    DestinationWorkloadNamespace,
    DestinationPrincipal,
    DestinationApp,
    DestinationVersion,
    DestinationService,
    DestinationCanonicalService,
    DestinationCanonicalRevision,
    DestinationServiceName,
    DestinationServiceNamespace,
    DestinationCluster,
    RequestProtocol,
    ResponseCode,
    GrpcResponseStatus,
    ResponseFlags,
    ConnectionSecurityPolicy,
}

/// <summary>Names of <see cref="IstioTag"/>.</summary>
internal static class IstioTags
{
    private static readonly string[] Names =
    [
        "reporter", "source_workload", "source_canonical_service", "source_canonical_revision", "source_workload_namespace",
        "source_principal", "source_app", "source_version", "source_cluster", "destination_workload",
        "destination_workload_namespace", "destination_principal", "destination_app", "destination_version",
        "destination_service", "destination_canonical_service", "destination_canonical_revision", "destination_service_name",
        "destination_service_namespace", "destination_cluster", "request_protocol", "response_code", "grpc_response_status",
        "response_flags", "connection_security_policy",
    ];

    public static int Count => Names.Length;

    public static string Name(int tag) => Names[tag];

    /// <summary>-1 for a name that is no standard label.</summary>
    public static int Find(string name) => Array.IndexOf(Names, name);

    /// <summary>Whether the label says how an exchange went, which takes few values; others name peers and services.</summary>
    public static bool DescribesOutcome(int tag) => tag is (int)IstioTag.Reporter or >= (int)IstioTag.RequestProtocol;
}
