using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Cni.Installation;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Cni;

/// <summary>Installation beside Bridge, Calico and Weave, with the configurations they publish.</summary>
public sealed class InstallerTests : IDisposable
{
    private readonly NodeDirectories _node = new();

    public static TheoryData<string, string[]> Published() => new()
    {
        { "10-bridge.conflist", ["bridge", "portmap"] },
        { "10-calico.conflist", ["calico", "portmap", "bandwidth"] },
        { "10-canal.conflist", ["calico", "portmap"] },
        { "10-weave.conflist", ["weave-net", "portmap"] },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Plugin_comes_last_and_everything_else_stays(string file, string[] before)
    {
        var path = _node.Publish(file);
        var published = File.ReadAllText(path);
        Assert.True(_node.Installer().Install());

        var list = Json.TryParse(File.ReadAllText(path))!;
        Assert.Equal([.. before, "meshproxy-cni"], list["plugins"]!.AsArray().Select(p => (string)p!["type"]!));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(published), ChainedPlugin.Remove(list)));
        Assert.True(File.Exists(Path.Combine(_node.Binaries, "meshproxy-cni")));

        _node.Installer().Uninstall();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(published), JsonNode.Parse(File.ReadAllText(path))));
        Assert.Empty(Directory.GetFiles(_node.Binaries));
    }

    [Fact]
    public void Second_installation_changes_no_file()
    {
        var path = _node.Publish("10-calico.conflist");
        _node.Installer().Install();
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        Assert.True(_node.Installer().Install());
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(path));
    }

    [Fact]
    public void Other_settings_replace_the_entry()
    {
        var path = _node.Publish("10-weave.conflist");
        _node.Installer().Install();
        _node.Installer(s => s with { NativeNftables = true }).Install();
        var plugins = Json.TryParse(File.ReadAllText(path))!["plugins"]!.AsArray();
        Assert.Equal(3, plugins.Count);
        Assert.True((bool)plugins[^1]!["meshproxy"]!["nativeNftables"]!);
    }

    [Fact]
    public void Files_keep_their_mode()
    {
        var path = _node.Publish("10-calico.conflist");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        _node.Installer().Install();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Single_plugin_becomes_a_list_of_its_own_name_and_comes_back()
    {
        var single = _node.Write("10-net.conf", """{ "cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "cni0" }""");
        _node.Installer().Install();
        var list = Json.TryParse(File.ReadAllText(Path.Combine(_node.Configurations, "10-net.conflist")))!;
        Assert.Equal("pods", (string)list["name"]!);
        Assert.Equal("0.4.0", (string)list["cniVersion"]!);
        Assert.Equal(["bridge", "meshproxy-cni"], list["plugins"]!.AsArray().Select(p => (string)p!["type"]!));
        Assert.False(File.Exists(single));

        _node.Installer().Uninstall();
        Assert.Equal(["10-net.conf"], Directory.GetFiles(_node.Configurations).Select(Path.GetFileName));
    }

    [Fact]
    public void Single_plugin_older_than_lists_is_raised()
    {
        _node.Write("weave.conf", """{ "cniVersion": "0.2.0", "name": "weave", "type": "weave-net" }""");
        _node.Installer().Install();
        var list = Json.TryParse(File.ReadAllText(Path.Combine(_node.Configurations, "weave.conflist")))!;
        Assert.Equal("0.3.1", (string)list["cniVersion"]!);
    }

    [Fact]
    public void First_valid_file_is_the_one()
    {
        _node.Write("00-empty.conflist", "");
        _node.Write("01-broken.conflist", "{");
        _node.Write("02-none.conflist", """{ "plugins": [] }""");
        _node.Write("03-other.txt", """{ "plugins": [{ "type": "x" }] }""");
        var used = _node.Publish("10-calico.conflist");
        var unused = _node.Publish("20-weave.conflist", "10-weave.conflist");
        _node.Installer().Install();
        Assert.Contains("meshproxy-cni", File.ReadAllText(used));
        Assert.DoesNotContain("meshproxy-cni", File.ReadAllText(unused));
    }

    [Fact]
    public void Without_a_configuration_it_waits()
    {
        Assert.False(_node.Installer().Install());
        _node.Publish("10-weave.conflist");
        Assert.True(_node.Installer().Install());
        Assert.True(_node.Installer().IsInstalled());
    }

    [Theory]
    [InlineData("10-calico.conf", true)]
    [InlineData("10-calico.conflist", true)]
    [InlineData("10-other.conflist", false)]
    public void Named_file_is_found_with_either_extension(string name, bool found)
    {
        _node.Publish("10-calico.conflist");
        Assert.Equal(found, _node.Installer(s => s with { ConfigurationFile = name }).Install());
    }

    [Fact]
    public void Whatever_is_lost_is_noticed()
    {
        var path = _node.Publish("10-calico.conflist");
        var installer = _node.Installer(s => s with { ApiHost = "10.96.0.1" });
        installer.Install();
        Assert.True(installer.IsInstalled());

        // Calico restarts and writes its file again.
        _node.Publish("10-calico.conflist");
        Assert.False(installer.IsInstalled());
        installer.Install();

        // A file that comes before.
        _node.Publish("05-weave.conflist", "10-weave.conflist");
        Assert.False(installer.IsInstalled());
        installer.Install();

        // The token is renewed.
        File.WriteAllText(Path.Combine(_node.Account, "token"), "second");
        Assert.False(installer.IsInstalled());
        installer.Install();
        Assert.Contains("second", File.ReadAllText(Path.Combine(_node.Configurations, "meshproxy-cni-kubeconfig")));

        // The executable is deleted.
        File.Delete(Path.Combine(_node.Binaries, "meshproxy-cni"));
        Assert.False(installer.IsInstalled());
        installer.Install();
        Assert.True(installer.IsInstalled());

        installer.Uninstall();
        Assert.DoesNotContain("meshproxy", string.Concat(Directory.GetFiles(_node.Configurations).Select(File.ReadAllText)));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Access_to_Kubernetes_is_for_root_only()
    {
        _node.Publish("10-calico.conflist");
        _node.Installer(s => s with { ApiHost = "fd00::1" }).Install();
        var kubeconfig = Path.Combine(_node.Configurations, "meshproxy-cni-kubeconfig");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kubeconfig));
        Assert.Contains("https://[fd00::1]:443", File.ReadAllText(kubeconfig));
    }

    [Fact]
    public void List_that_is_none_is_refused()
    {
        _node.Write("10-x.conflist", """{ "type": "x", "plugins": { "a": 1 } }""");
        Assert.Throws<InterceptionException>(() => _node.Installer().Install());
    }

    [Fact]
    public void Watch_puts_back_what_another_program_takes_out()
    {
        var path = _node.Publish("10-calico.conflist");
        var settings = _node.Settings;
        using var stop = new CancellationTokenSource();
        var watch = new InstallationWatch(_node.Installer(), settings, _ => { });
        var thread = new Thread(() => watch.Run(stop.Token));
        thread.Start();
        Eventually(() => File.ReadAllText(path).Contains("meshproxy-cni"));
        for (var i = 0; i < 3; i++)
        {
            _node.Publish("10-calico.conflist");
            Eventually(() => File.ReadAllText(path).Contains("meshproxy-cni"));
        }
        stop.Cancel();
        thread.Join();
        Assert.DoesNotContain("meshproxy-cni", File.ReadAllText(path));
        Assert.Empty(Directory.GetFiles(_node.Binaries));
    }

    public void Dispose() => _node.Dispose();

    private static void Eventually(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(30)), "it did not happen");
}
