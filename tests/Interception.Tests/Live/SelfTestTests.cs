using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using MeshProxy.Interception.Validation;
using Xunit;

namespace MeshProxy.Interception.Tests.Live;

/// <summary>`--run-validation`: true when and only when the proxy's connections are redirected.</summary>
public sealed class SelfTestTests
{
    [RootTheory]
    [InlineData("")]
    [InlineData("--native-nftables")]
    public void Passes_as_the_proxys_user_with_rules(string tool)
    {
        using var pod = new Pod(ipv6: true);
        var settings = Given.Arguments($"{Given.AsInjected} --dual-stack {tool}");
        pod.Apply(settings);
        Assert.Null(Check(pod, settings, Owner.Proxy));
    }

    [RootFact]
    public void Passes_when_the_exempt_loopback_range_is_wide()
    {
        using var pod = new Pod();
        var settings =
            Given.Settings(Given.AsInjected.Split(' '), new Dictionary<string, string> { [Flags.LoopbackEnvironment] = "127.0.0.1/8" });
        pod.Apply(settings);
        Assert.Null(Check(pod, settings, Owner.Proxy));
    }

    [RootFact]
    public void Fails_without_rules()
    {
        using var pod = new Pod();
        Assert.Contains("no redirect rules", Check(pod, Given.Arguments(Given.AsInjected), Owner.Proxy));
    }

    [RootFact]
    public void Fails_as_another_user()
    {
        using var pod = new Pod();
        var settings = Given.Arguments(Given.AsInjected);
        pod.Apply(settings);
        Assert.NotNull(Check(pod, settings, 1000));
    }

    // A failing check may take no longer than the test's patience; a passing one ends at once.
    private static string? Check(Pod pod, InterceptionSettings settings, uint user)
    {
        var quick = settings with { ProbeTimeout = TimeSpan.FromMilliseconds(200) };
        return pod.Inside.Run(() => Owner.As(user, () => new SelfTest(quick, quick.DualStack).Run()));
    }
}
