using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>A pod, or the pod template of a workload, as a tree: `metadata` and `spec`. Unknown fields survive.</summary>
internal sealed class PodDocument
{
    public PodDocument(JsonObject root)
    {
        Root = root;
        root.Require("metadata");
        root.Require("spec");
    }

    public JsonObject Root { get; }
    public JsonObject Metadata => Root.Require("metadata");
    public JsonObject Spec => Root.Require("spec");
    public JsonObject Annotations => Metadata.Require("annotations");
    public JsonObject Labels => Metadata.Require("labels");
    public JsonArray Containers => Spec.RequireList("containers");
    public JsonArray InitContainers => Spec.RequireList("initContainers");

    public string? Annotation(string name) => Metadata.Object("annotations").Text(name);

    public string? Label(string name) => Metadata.Object("labels").Text(name);

    public PodDocument Clone() => new(Root.DeepClone().AsObject());

    public IEnumerable<JsonObject> AllContainers() =>
        Spec.Members("initContainers").Concat(Spec.Members("containers"));

    /// <summary>The proxy's container, wherever it is.</summary>
    public JsonObject? Proxy() => Spec.Named("containers", MeshNames.ProxyContainer)
        ?? Spec.Named("initContainers", MeshNames.ProxyContainer);
}
