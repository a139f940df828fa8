using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Settings;

/// <summary>Flags and environment, and what is refused before anything touches the kernel.</summary>
public sealed class SettingsReaderTests
{
    [Fact]
    public void Nothing_given_captures_nothing()
    {
        var settings = Given.Arguments("");
        Assert.True(settings.InboundPorts.IsEmpty);
        Assert.False(settings.OutboundRanges.All);
        Assert.Equal(["1337"], settings.ProxyUsers.ToArray());
    }

    [Fact]
    public void Flags_beat_the_environment()
    {
        var environment = new Dictionary<string, string> { ["ISTIO_INBOUND_PORTS"] = "8080", ["PROXY_UID"] = "1500" };
        var settings = Given.Settings(["-b", "9090"], environment);
        Assert.Equal([9090], settings.InboundPorts.Ports.ToArray());
        Assert.Equal(["1500"], settings.ProxyUsers.ToArray());
        Assert.Equal(["1500"], settings.ProxyGroups.ToArray());
    }

    [Fact]
    public void Explicit_false_beats_the_environment()
    {
        var environment = new Dictionary<string, string> { ["ISTIO_META_DNS_CAPTURE"] = "true" };
        Assert.True(Given.Settings([], environment).RedirectDns);
        Assert.False(Given.Settings(["--redirect-dns=false"], environment).RedirectDns);
    }

    [Fact]
    public void Lists_may_have_blanks_and_empty_members()
    {
        var settings =
            Given.Settings(["-q", "80, 443,", "-i", "10.0.0.0/8,2001:db8::/32"], new Dictionary<string, string>());
        Assert.Equal([80, 443], settings.OutboundPorts.ToArray());
        Assert.Equal([false, true], settings.OutboundRanges.Ranges.Select(r => r.IsIPv6));
    }

    [Theory]
    [InlineData("-b 80,70000", "70000")]
    [InlineData("-b 80;drop", "80;drop")]
    [InlineData("-i 10.1.2.3", "10.1.2.3")]
    [InlineData("-i 10.0.0.0/40", "10.0.0.0/40")]
    [InlineData("-i 10/8", "10/8")]
    [InlineData("-x *", "*")]
    [InlineData("-c eth0{}", "eth0{}")]
    [InlineData("-c averyveryverylongname", "averyveryverylongname")]
    [InlineData("-u -j", "-j")]
    [InlineData("-t 0x539", "0x539")]
    [InlineData("--dual-stack=perhaps", "perhaps")]
    [InlineData("--probe-timeout soon", "soon")]
    [InlineData("--force-iptables-binary ebtables", "ebtables")]
    public void Malformed_values_are_refused_by_name(string arguments, string named)
    {
        var refusal = Assert.Throws<InterceptionException>(() => Given.Arguments(arguments));
        Assert.Contains($"\"{named}\"", refusal.Message);
    }

    [Theory]
    [InlineData("127.0.0.1/32", true)]
    [InlineData("127.0.0.1/8", true)]
    [InlineData("127.0.0.1/7", false)]
    [InlineData("127.0.0.1/33", false)]
    [InlineData("128.0.0.1/8", false)]
    [InlineData("::1/128", false)]
    public void Loopback_range_has_to_be_loopback(string range, bool accepted)
    {
        var environment = new Dictionary<string, string> { [Flags.LoopbackEnvironment] = range };
        if (accepted)
            Assert.Equal(range, Given.Settings([], environment).IPv4Loopback.ToString());
        else
            Assert.Throws<InterceptionException>(() => Given.Settings([], environment));
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Owner_groups_are_limited(int count, bool accepted)
    {
        var environment =
            new Dictionary<string, string> { [Flags.OwnerGroupsEnvironment] = string.Join(',', Enumerable.Range(1000, count)) };
        if (accepted)
            Assert.Equal(count, Given.Settings([], environment).OwnerGroups.Length);
        else
            Assert.Throws<InterceptionException>(() => Given.Settings([], environment));
    }

    [Theory]
    [InlineData("5s", 5000)]
    [InlineData("1m30s", 90000)]
    [InlineData("1.5s", 1500)]
    [InlineData("250ms", 250)]
    public void Durations_are_written_as_in_Go(string text, int milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("5 s")]
    [InlineData("9999999999h")]
    public void Other_durations_are_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
