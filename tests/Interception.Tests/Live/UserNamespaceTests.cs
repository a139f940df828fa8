using System.Diagnostics;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>Pods with users of their own (hostUsers: false): the kernel takes owner matches only from inside.</summary>
public sealed class UserNamespaceTests
{
    [RootTheory]
    [InlineData("")]
    [InlineData("--native-nftables")]
    public void Rules_are_loaded_from_inside_the_pods_user_namespace(string tool)
    {
        using var pod = Process.Start(new ProcessStartInfo("unshare", ["--user", "--net", "sleep", "60"]))!;
        try
        {
            var path = $"/proc/{pod.Id}/ns/net";
            Assert.True(SpinWait.SpinUntil(() => LinkOf(path) != LinkOf("/proc/self/ns/net"), TimeSpan.FromSeconds(10)));
            File.WriteAllText($"/proc/{pod.Id}/uid_map", "0 100000 65536");
            File.WriteAllText($"/proc/{pod.Id}/gid_map", "0 100000 65536");
            var settings = Given.Arguments($"{Given.AsInjected} {tool}");
            var rules = NetworkNamespace.Run(path, hostFiles: true, runner =>
            {
                var interceptor = new Interceptor(settings, new PodNetwork(false, false, []), runner, _ => { });
                interceptor.Apply();
                return interceptor.Snapshot();
            });
            Assert.Contains("1337", rules);
        }
        finally
        {
            pod.Kill();
            pod.WaitForExit();
        }
    }

    private static string? LinkOf(string path) => new FileInfo(path).LinkTarget;
}
