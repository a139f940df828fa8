using MeshProxy.Injection.Pods;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class WorkloadOwnerTests
{
    [Theory]
    [InlineData("{name: one}", "kubernetes://apis/v1/namespaces/shop/pods/one")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d9, controller: true}], labels: {pod-template-hash: 5d9}}",
        "kubernetes://apis/apps/v1/namespaces/shop/deployments/web")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d9, controller: true}], labels: {pod-template-hash: other}}",
        "kubernetes://apis/apps/v1/namespaces/shop/replicasets/web-5d9")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d9, controller: true}], labels: {rollouts-pod-template-hash: 5d9}}",
        "kubernetes://apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: v1, kind: ReplicationController, name: web-3, controller: true}], labels: {deploymentconfig: web}}",
        "kubernetes://apis/apps.openshift.io/v1/namespaces/shop/deploymentconfigs/web")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: tidy-28000000, controller: true}]}",
        "kubernetes://apis/batch/v1/namespaces/shop/cronjobs/tidy")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: tidy-1, controller: true}]}",
        "kubernetes://apis/batch/v1/namespaces/shop/jobs/tidy-1")]
    [InlineData("{generateName: a-, ownerReferences: [{apiVersion: x.io/v1, kind: Widget, name: w, controller: true}]}",
        "kubernetes://apis/x.io/v1/namespaces/shop/widgets/w")]
    [InlineData("{generateName: a-, name: a-1, ownerReferences: [{apiVersion: x.io/v1, kind: Widget, name: w}]}",
        "kubernetes://apis/v1/namespaces/shop/pods/a-1")]
    public void The_workload_is_what_a_person_made(string metadata, string uri) =>
        Assert.Equal(uri, WorkloadOwner.OfPod(Given.Pod(metadata), "shop").Uri);
}
