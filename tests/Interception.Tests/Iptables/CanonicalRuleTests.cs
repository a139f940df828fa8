using MeshProxy.Interception.Iptables;
using Xunit;

namespace MeshProxy.Interception.Tests.Iptables;

/// <summary>What iptables-save prints is the rule that was loaded, however it is spelled.</summary>
public sealed class CanonicalRuleTests
{
    [Theory]
    [InlineData("-o lo -s 127.0.0.6/32 -j RETURN", "-s 127.0.0.6/32 -o lo -j RETURN")]
    [InlineData("-p tcp --dport 80 -j RETURN", "-p tcp -m tcp --dport 80 -j RETURN")]
    [InlineData("-d 127.0.0.1/8 -j RETURN", "-d 127.0.0.0/8 -j RETURN")]
    [InlineData("-j MARK --set-mark 1337", "-j MARK --set-xmark 0x539/0xffffffff")]
    [InlineData("-m mark --mark 1337 -j RETURN", "-m mark --mark 0x539 -j RETURN")]
    [InlineData("-j CONNMARK --save-mark", "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff")]
    [InlineData(
        "-j TPROXY --tproxy-mark 1337/0xffffffff --on-port 15006",
        "-j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff")]
    [InlineData("-m conntrack --ctstate RELATED,ESTABLISHED -j X", "-m state --state ESTABLISHED,RELATED -j X")]
    [InlineData("-m owner --gid-owner root -j X", "-m owner --gid-owner 0 -j X")]
    [InlineData("-p tcp -j X", "-p tcp -m comment --comment \"a -b c\" -j X")]
    public void Spellings_of_one_rule_are_equal(string one, string other) =>
        Assert.Equal(CanonicalRule.Of(one), CanonicalRule.Of(other));

    [Theory]
    [InlineData("-p tcp --dport 80 -j RETURN", "-p tcp ! --dport 80 -j RETURN")]
    [InlineData("-p tcp --dport 80 -j RETURN", "-p tcp --sport 80 -j RETURN")]
    [InlineData("-d 10.0.0.0/8 -j X", "-d 10.0.0.0/9 -j X")]
    [InlineData("-m mark --mark 1337 -j X", "-m connmark --mark 1337 -j X")]
    [InlineData("-m mark --mark 1337 -j X", "-m mark --mark 1337/0xff -j X")]
    public void Different_rules_differ(string one, string other) =>
        Assert.NotEqual(CanonicalRule.Of(one), CanonicalRule.Of(other));
}
