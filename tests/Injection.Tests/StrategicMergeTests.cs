using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class StrategicMergeTests
{
    [Theory]
    [InlineData("maps merge by key", "a: {x: 1}", "a: {y: 2}", "a: {x: 1, y: 2}")]
    [InlineData("null deletes", "a: {x: 1, y: 2}", "a: {x: null}", "a: {y: 2}")]
    [InlineData("plain lists are replaced", "args: [a, b]", "args: [c]", "args: [c]")]
    [InlineData("containers merge by name, new ones first",
        "containers: [{name: app, image: i}]",
        "containers: [{name: proxy}, {name: app, env: [{name: A, value: b}]}]",
        "containers: [{name: proxy}, {name: app, image: i, env: [{name: A, value: b}]}]")]
    [InlineData("mounts merge by path", "volumeMounts: [{mountPath: /a, name: x}]", "volumeMounts: [{mountPath: /a, name: y}]",
        "volumeMounts: [{mountPath: /a, name: y}]")]
    [InlineData("a member can be deleted", "env: [{name: A, value: a}, {name: B, value: b}]", "env: [{name: A, $patch: delete}]",
        "env: [{name: B, value: b}]")]
    [InlineData("a list can be replaced", "env: [{name: A, value: a}]", "env: [{$patch: replace}, {name: B, value: b}]",
        "env: [{name: B, value: b}]")]
    [InlineData("a map can be replaced", "labels: {a: b}", "labels: {$patch: replace, c: d}", "labels: {c: d}")]
    [InlineData("a map can be deleted", "labels: {a: b}\nx: 1", "labels: {$patch: delete}", "x: 1")]
    [InlineData("a probe has one handler", "readinessProbe: {httpGet: {port: 1}, periodSeconds: 5}", "readinessProbe: {exec: {command: [x]}}",
        "readinessProbe: {periodSeconds: 5, exec: {command: [x]}}")]
    [InlineData("a variable has one source", "env: [{name: A, value: a}]", "env: [{name: A, valueFrom: {fieldRef: {fieldPath: f}}}]",
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: f}}}]")]
    [InlineData("a volume has one source", "volumes: [{name: v, emptyDir: {}}]", "volumes: [{name: v, csi: {driver: d}}]",
        "volumes: [{name: v, csi: {driver: d}}]")]
    [InlineData("a volume without a source keeps the other's", "volumes: [{name: v, csi: {driver: d}}]", "volumes: [{name: v}]",
        "volumes: [{name: v, csi: {driver: d}}]")]
    [InlineData("named keys can be retained", "volumes: [{name: v, a: 1, b: 2}]", "volumes: [{name: v, $retainKeys: [name, b]}]",
        "volumes: [{name: v, b: 2}]")]
    [InlineData("order can be set", "env: [{name: A}, {name: B}]", "$setElementOrder/env: [{name: B}, {name: A}]\nenv: []",
        "env: [{name: B}, {name: A}]")]
    [InlineData("finalizers unite", "finalizers: [a]", "finalizers: [a, b]", "finalizers: [a, b]")]
    [InlineData("members of plain lists can be deleted", "finalizers: [a, b]", "$deleteFromPrimitiveList/finalizers: [a]", "finalizers: [b]")]
    public void Merges_as_Kubernetes_does(string rule, string target, string patch, string expected)
    {
        var merged = YamlReader.ReadObject(target, "target");
        StrategicMerge.Apply(merged, YamlReader.ReadObject(patch, "patch"));
        Assert.True(JsonNode.DeepEquals(merged, YamlReader.Read(expected, "expected")), $"{rule}: {merged.ToJsonString()}");
    }
}
