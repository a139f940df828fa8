using System.Text;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Istio;

public class WorkloadMetadataFormatTests
{
    private static readonly HashSet<string> None = [];

    private const string Node =
        """
        {"NAME":"a-1","NAMESPACE":"shop","WORKLOAD_NAME":"a","CLUSTER_ID":"c1","OWNER":"kubernetes://apis/apps/v1/namespaces/shop/deployments/a",
         "LABELS":{"app":"short","app.kubernetes.io/name":"long","version":"1","service.istio.io/canonical-name":"canon",
                   "service.istio.io/canonical-revision":"r1","role":"db"},"OTHER":5}
        """;

    [Fact]
    public void Node_metadata_are_read_and_written_back()
    {
        var read = WorkloadMetadataFormat.FromStruct(Parse(Node), new HashSet<string> { "role" }, "east", "z1");
        Assert.Equal(
            ("a-1", "shop", "a", "c1", WorkloadType.Deployment, "long", "1", "canon", "r1", "east", "z1"),
            (read.Name, read.Namespace, read.Workload, read.Cluster, read.Type, read.App, read.Version, read.CanonicalName,
                read.CanonicalRevision, read.Region, read.Zone));
        Assert.Equal([new("role", "db")], read.Labels);

        var again = WorkloadMetadataFormat.FromStruct(WorkloadMetadataFormat.ToStruct(read), new HashSet<string> { "role" });
        Assert.Equal(read.SerializeAsString(), again.SerializeAsString());
        Assert.Equal(read.Labels, again.Labels);
    }

    [Fact]
    public void Keys_are_written_in_order()
    {
        var written = WorkloadMetadataFormat.ToStruct(WorkloadMetadataFormat.FromStruct(Parse(Node), None));
        var keys = written.Fields.Select(field => field.Key).ToArray();
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
    }

    [Theory]
    [InlineData("a;ns;svc;rev;cluster", "a/ns/svc/rev/cluster")]
    [InlineData("a;ns;svc;;", "a/ns/svc//")]
    [InlineData("a;ns;svc", null)]
    public void An_endpoint_tells_in_five_parts(string text, string? expected)
    {
        var read = WorkloadMetadataFormat.FromEndpoint(text);
        Assert.Equal(expected, read is null ? null
            : $"{read.Workload}/{read.Namespace}/{read.CanonicalName}/{read.CanonicalRevision}/{read.Cluster}");
    }

    [Fact]
    public void Baggage_is_read_as_Istio_writes_it()
    {
        var read = WorkloadMetadataFormat.FromBaggage(
            "k8s.deployment.name=a,service.name=canon,service.version=v2,k8s.namespace.name=ns,k8s.cluster.name=c1,"
            + "k8s.instance.name=a-1,cloud.region=east,cloud.availability_zone=z1,other=x");
        Assert.Equal(("a", WorkloadType.Deployment, "canon", "canon", "v2", "v2", "ns", "c1", "a-1", "east", "z1"),
            (read.Workload, read.Type, read.CanonicalName, read.App, read.CanonicalRevision, read.Version, read.Namespace,
                read.Cluster, read.Name, read.Region, read.Zone));
        Assert.Equal(
            "k8s.deployment.name=a,service.name=canon,service.version=v2,k8s.namespace.name=ns,k8s.cluster.name=c1,"
            + "k8s.instance.name=a-1,cloud.region=east,cloud.availability_zone=z1",
            WorkloadMetadataFormat.ToBaggage(read));
    }

    [Fact]
    public void Fields_are_there_for_formats_and_expressions()
    {
        var peer = WorkloadMetadataFormat.FromStruct(Parse(Node), None);
        Assert.Equal("a", peer.GetField("workload"));
        Assert.Equal("deployment", peer.GetField("type"));
        Assert.Null(peer.GetField("nothing"));
        Assert.StartsWith(
            """{"@type":"type.googleapis.com/google.protobuf.Struct","value":{""", peer.SerializeAsJson(), StringComparison.Ordinal);
        Assert.True(peer.ToCel().AsMap.TryGet(MeshProxy.Proxy.Matching.Cel.CelValue.Of("namespace"), out var name));
        Assert.Equal("shop", name.AsString);
    }

    private static Struct Parse(string json) => MessageJson.Parse<Struct>(Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict);
}
