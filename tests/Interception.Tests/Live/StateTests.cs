using System.Net;
using System.Text.Json.Nodes;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>Running again, replacing and removing.</summary>
public sealed class StateTests
{
    private const string Nft = "--force-iptables-binary nft";

    [RootTheory]
    [InlineData(Nft)]
    [InlineData("--force-iptables-binary legacy")]
    [InlineData("--native-nftables")]
    public void Every_recorded_setting_can_be_applied_twice_and_removed(string tool)
    {
        foreach (var (name, settings, network) in RecordedCases(tool))
        {
            using var pod = new Pod();
            pod.Apply(settings, network);
            var first = pod.Snapshot(settings, network);
            pod.Notes.Clear();
            pod.Apply(settings, network);
            Assert.True(settings.NativeNftables || pod.Notes.Count == 1, $"{name}: the second run changed something");
            Assert.Equal(first, pod.Snapshot(settings, network));
            Assert.NotEqual("", first);

            pod.Remove(settings, network);
            Assert.Equal("", pod.Snapshot(settings, network));
            Assert.Equal("", LeftOvers(pod));
        }
    }

    [RootFact]
    public void Foreign_rules_outlive_set_up_replacement_and_removal()
    {
        using var pod = new Pod();
        pod.Inside.Execute("iptables-nft", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport", "9", "-j", "RETURN");
        pod.Apply(Given.Arguments($"{Given.AsInjected} {Nft}"));
        pod.Apply(Given.Arguments($"-b 8080 -i 10.0.0.0/8 --reconcile {Nft}"));
        pod.Remove(Given.Arguments($"{Given.AsInjected} {Nft}"));
        var saved = pod.Inside.Execute("iptables-nft-save");
        Assert.Contains("-A OUTPUT -p tcp -m tcp --dport 9 -j RETURN", saved);
        Assert.DoesNotContain("ISTIO", saved);
    }

    [RootTheory]
    [InlineData("iptables-nft -t nat -I ISTIO_OUTPUT -p tcp --dport 9 -j RETURN")]
    [InlineData("iptables-nft -t nat -D ISTIO_INBOUND 2")]
    [InlineData("iptables-nft -t nat -D PREROUTING 1")]
    [InlineData("iptables-nft -t nat -N ISTIO_OTHER")]
    public void Other_rules_are_refused_and_replaced_on_request(string change)
    {
        using var pod = new Pod();
        var settings = Given.Arguments($"{Given.AsInjected} {Nft}");
        pod.Apply(settings);
        var wanted = pod.Snapshot(settings);
        var words = change.Split(' ');
        pod.Inside.Execute(words[0], words[1..]);

        var refusal = Assert.Throws<InterceptionException>(() => pod.Apply(settings));
        Assert.Contains("--reconcile", refusal.Message);

        pod.Apply(settings with { Reconcile = true });
        Assert.Equal(wanted, pod.Snapshot(settings));
        Assert.DoesNotContain("DROP", pod.Inside.Execute("iptables-nft-save"));
    }

    [RootFact]
    public void Order_within_own_chains_counts()
    {
        using var pod = new Pod();
        var settings = Given.Arguments($"{Given.AsInjected} {Nft}");
        pod.Apply(settings);
        var listed = pod.Inside.Execute("iptables-nft", "-t", "nat", "-S", "ISTIO_OUTPUT", "1");
        var first = listed.Trim()["-A ISTIO_OUTPUT ".Length..];
        pod.Inside.Execute("iptables-nft", "-t", "nat", "-D", "ISTIO_OUTPUT", "1");
        pod.Inside.Execute("iptables-nft", ["-t", "nat", "-A", "ISTIO_OUTPUT", .. first.Split(' ')]);
        Assert.Throws<InterceptionException>(() => pod.Apply(settings));
    }

    [RootFact]
    public void Load_that_fails_leaves_nothing_behind()
    {
        using var pod = new Pod();
        var settings =
            Given.Arguments($"{Given.AsInjected} -m TPROXY {Nft}") with { ExcludedOwnerGroups = ["no-such-group"] };
        Assert.Throws<InterceptionException>(() => pod.Apply(settings));
        Assert.DoesNotContain("ISTIO", pod.Inside.Execute("iptables-nft-save"));
    }

    [RootTheory]
    [InlineData(Nft, "--native-nftables")]
    [InlineData("--native-nftables", Nft)]
    public void Rules_of_the_other_tool_are_refused_and_replaced_on_request(string first, string second)
    {
        using var pod = new Pod();
        pod.Apply(Given.Arguments($"{Given.AsInjected} {first}"));
        var settings = Given.Arguments($"{Given.AsInjected} {second}");
        Assert.Throws<InterceptionException>(() => pod.Apply(settings));
        pod.Apply(settings with { Reconcile = true });
        Assert.Equal("", pod.Snapshot(Given.Arguments($"{Given.AsInjected} {first}")));
        Assert.NotEqual("", pod.Snapshot(settings));
    }

    [RootFact]
    public void Legacy_rules_on_the_host_mean_legacy_iptables()
    {
        using var pod = new Pod();
        pod.Inside.Execute("iptables-legacy", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport", "9", "-j", "RETURN");
        pod.Apply(Given.Arguments(Given.AsInjected));
        Assert.Contains("ISTIO_OUTPUT", pod.Inside.Execute("iptables-legacy-save"));
        Assert.DoesNotContain("ISTIO_OUTPUT", pod.Inside.Execute("iptables-nft-save"));
    }

    [RootFact]
    public void Without_legacy_rules_it_is_nft()
    {
        using var pod = new Pod();
        pod.Apply(Given.Arguments(Given.AsInjected));
        Assert.Contains("ISTIO_OUTPUT", pod.Inside.Execute("iptables-nft-save"));
        Assert.DoesNotContain("ISTIO_OUTPUT", pod.Inside.Execute("iptables-legacy-save"));
    }

    // One rule with 64 groups is what Istio plans too, and no tool loads it: iptables-restore takes 255 words a line,
    // nft 128 expressions a rule. Nor is a group loaded that this machine does not know.
    private static bool Loadable(InterceptionSettings settings) =>
        settings.OwnerGroups.Length < 50
        && settings.ExcludedOwnerGroups.All(g => char.IsAsciiDigit(g[0]) || AccountNames.GroupId(g) is not null);

    private static string LeftOvers(Pod pod)
    {
        var rules = pod.Inside.Execute("ip", "rule") + pod.Inside.Execute("ip", "-6", "rule");
        var addresses = pod.Inside.Execute("ip", "-6", "addr", "show", "dev", "lo");
        var saved = string.Concat(
            new[] { "iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save" }
                .Select(save => pod.Inside.Execute(save)));
        var all = rules + addresses + saved + pod.Inside.Execute("nft", "list", "tables");
        return string.Join('\n', all.Split('\n').Where(line =>
            line.Contains("fwmark") || line.Contains("::6/128") || line.StartsWith("-A ")
                || line.Contains("istio", StringComparison.OrdinalIgnoreCase)));
    }

    private static IEnumerable<(string Name, InterceptionSettings Settings, PodNetwork Network)> RecordedCases(
        string tool)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "init"), "*.json").Order())
        {
            var test = JsonNode.Parse(File.ReadAllText(file))!;
            var arguments = test["args"]!.AsArray().Select(a => (string)a!).ToList();
            if ((int)test["expected"]!["exit"]! != 0 || test["live"] is not null
                || arguments.Contains("--native-nftables"))
                continue;
            var environment = test["env"]!.AsObject().ToDictionary(e => e.Key, e => (string)e.Value!);
            arguments.RemoveAll(a => a is "--force-apply" or "--skip-rule-apply" or "--cleanup-only");
            arguments.AddRange(tool.Split(' '));
            var settings = Given.Settings(arguments, environment);
            if (!Loadable(settings))
                continue;
            var addresses = test["addresses"]!.AsArray().Select(a => IPAddress.Parse(((string)a!).Split('/')[0]))
                .OrderBy(a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6).ToList();
            var resolvers = test["resolvers"]!.AsArray().Select(r => IPAddress.Parse((string)r!)).ToList();
            var dns = settings.RedirectDns && (settings.CaptureAllDns || resolvers.Count > 0);
            var network =
                new PodNetwork(PodNetwork.CapturesIPv6(settings, addresses, _ => { }), dns, dns ? [.. resolvers] : []);
            yield return (Path.GetFileNameWithoutExtension(file), settings, network);
        }
    }
}
