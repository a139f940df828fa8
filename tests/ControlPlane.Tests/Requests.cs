using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Tests;

/// <summary>What a proxy asks.</summary>
internal static class Requests
{
    public const string NodeId = "sidecar~10.0.0.1~web.shop~shop.svc.cluster.local";
    public const string Cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    public const string Endpoints = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    public const string Listener = "type.googleapis.com/envoy.config.listener.v3.Listener";
    public const string Routes = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    public const string Secret = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
    public const string Aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
    public const string AggregatedDelta = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
    public const string Secrets = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";

    public static Node Node(string space = "shop", string account = "web")
    {
        var metadata = Struct.New();
        metadata.Fields.Set("NAMESPACE", Text(space));
        metadata.Fields.Set("SERVICE_ACCOUNT", Text(account));
        var node = Envoy.Config.Core.V3.Node.New();
        node.Id = NodeId;
        node.Metadata = metadata;
        return node;
    }

    public static Message World(string type, string[] names, string nonce = "", string? error = null, Node? node = null)
    {
        var request = DiscoveryRequest.New();
        request.Node = node;
        request.TypeUrl = type;
        request.ResponseNonce = nonce;
        request.ResourceNames.AddRange(names);
        request.ErrorDetail = Error(error);
        return request.Message;
    }

    public static Message Delta(
        string type, string[] subscribe, string[]? unsubscribe = null, string nonce = "", string? error = null, Node? node = null,
        (string Name, string Version)[]? known = null)
    {
        var request = DeltaDiscoveryRequest.New();
        request.Node = node;
        request.TypeUrl = type;
        request.ResponseNonce = nonce;
        request.ResourceNamesSubscribe.AddRange(subscribe);
        request.ResourceNamesUnsubscribe.AddRange(unsubscribe ?? []);
        foreach (var (name, version) in known ?? [])
            request.InitialResourceVersions.Set(name, version);
        request.ErrorDetail = Error(error);
        return request.Message;
    }

    public static string ClusterJson(string name, string timeout = "1s") =>
        $$"""{ "@type": "{{Cluster}}", "name": "{{name}}", "connect_timeout": "{{timeout}}" }""";

    public static string EndpointsJson(string name) => $$"""{ "@type": "{{Endpoints}}", "cluster_name": "{{name}}" }""";

    public static string RoutesJson(string name) => $$"""{ "@type": "{{Routes}}", "name": "{{name}}" }""";

    public static string Response(params string[] resources) => $$"""{ "resources": [{{string.Join(',', resources)}}] }""";

    private static Value Text(string text)
    {
        var value = Value.New();
        value.StringValue = text;
        return value;
    }

    private static Status? Error(string? error)
    {
        if (error is null)
            return null;
        var status = Status.New();
        status.Code = 13;
        status.MessageValue = error;
        return status;
    }
}
