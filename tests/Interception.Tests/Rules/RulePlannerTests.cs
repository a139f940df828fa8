using MeshProxy.Interception.Host;
using MeshProxy.Interception.Iptables;
using MeshProxy.Interception.Nftables;
using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Rules;

/// <summary>Order and families; the rules of every setting are compared with recordings by tests/Pod.</summary>
public sealed class RulePlannerTests
{
    private static readonly PodNetwork IPv4Only = new(false, false, []);
    private static readonly PodNetwork DualStack = new(true, false, []);

    [Fact]
    public void Exclusions_come_before_everything_that_captures()
    {
        var chain = Chain("-i * -x 10.0.0.0/8 -o 25", IPv4Only, Chains.OwnOutbound);
        Assert.Equal("-p tcp --dport 25 -j RETURN", chain[0]);
        Assert.Equal("-d 10.0.0.0/8 -j RETURN", chain[^2]);
        Assert.Equal("-j ISTIO_REDIRECT", chain[^1]);
    }

    [Fact]
    public void Redirections_of_virtual_interfaces_stand_above_their_exemptions() => Assert.Equal(
        ["-i eth2 -j ISTIO_REDIRECT", "-i eth1 -j ISTIO_REDIRECT", "-i eth2 -j RETURN", "-i eth1 -j RETURN", "-p tcp -j ISTIO_INBOUND"],
        Chain("-b * -i * -k eth1,eth2", IPv4Only, Chains.Prerouting));

    [Fact]
    public void Addresses_tie_rules_to_their_family()
    {
        var rules = RulePlanner.Plan(Given.Arguments("-i 10.0.0.0/8,2001:db8::/32"), DualStack);
        Assert.Contains("-d 10.0.0.0/8 -j ISTIO_REDIRECT", IptablesText.Restore(rules, Families.IPv4));
        Assert.DoesNotContain("2001:db8", IptablesText.Restore(rules, Families.IPv4));
        Assert.Contains("-d 2001:db8::/32 -j ISTIO_REDIRECT", IptablesText.Restore(rules, Families.IPv6));
    }

    [Fact]
    public void Without_IPv6_there_are_no_IPv6_rules()
    {
        var rules = RulePlanner.Plan(Given.Arguments("-i * -b * -m TPROXY"), IPv4Only);
        Assert.Equal("", IptablesText.Restore(rules, Families.IPv6));
        Assert.DoesNotContain("ip6", NftScript.Replace(rules));
    }

    [Fact]
    public void Nft_script_replaces_all_tables_in_one_transaction()
    {
        var script = NftScript.Replace(RulePlanner.Plan(Given.Arguments("-i *"), IPv4Only));
        Assert.Contains("delete table inet istio-proxy-mangle", script);
        Assert.Contains("add rule inet istio-proxy-nat istio-output oifname \"lo\" meta skuid != 1337 counter "
            + "return", script);
    }

    private static List<string> Chain(string arguments, PodNetwork network, string chain) =>
        [.. RuleSet.Resolve(RulePlanner.Plan(Given.Arguments(arguments), network).In(Table.Nat, Families.IPv4), chain)
            .Select(IptablesText.Arguments)];
}
