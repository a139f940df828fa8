using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Security;
using Xunit;

namespace MeshProxy.Agent.Tests;

public sealed class RenewalScheduleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    [Theory]
    [InlineData(0.5, 12)]
    [InlineData(0.0, 12.24)]
    [InlineData(1.0, 11.76)]
    public void Half_of_a_life_is_used_give_or_take_a_hundredth(double random, double hours)
    {
        var schedule = new RenewalSchedule(Environment_(), () => random);
        Assert.Equal(hours, schedule.UntilRenewal(Now, Now.AddHours(24)).TotalHours, 3);
    }

    [Fact]
    public void The_parts_can_be_set()
    {
        var environment = Environment_(("SECRET_GRACE_PERIOD_RATIO", "0.25"), ("SECRET_GRACE_PERIOD_RATIO_JITTER", "0"));
        Assert.Equal(TimeSpan.FromHours(3), new RenewalSchedule(environment, () => 1).UntilRenewal(Now, Now.AddHours(4)));
    }

    [Theory]
    [InlineData("half")]
    [InlineData("1.5")]
    public void A_part_that_is_none_is_refused(string text)
    {
        var refusal = Assert.Throws<AgentException>(
            () => new RenewalSchedule(Environment_(("SECRET_GRACE_PERIOD_RATIO", text)), () => 0));
        Assert.Contains("SECRET_GRACE_PERIOD_RATIO", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_over_already_is_asked_for_again_at_once_but_not_without_a_pause()
    {
        var wait = new RenewalSchedule(Environment_(), () => 0).UntilRenewal(Now, Now.AddHours(-1));
        Assert.Equal(TimeSpan.FromMilliseconds(500), wait);
    }

    [Fact]
    public void Retries_take_longer_each_time_up_to_half_a_minute_until_one_succeeds()
    {
        var schedule = new RenewalSchedule(Environment_(), () => 1);
        var waits = Enumerable.Range(0, 9).Select(_ => schedule.UntilRetry().TotalSeconds);
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30, 30], waits);
        schedule.UntilRenewal(Now, Now.AddHours(1));
        Assert.Equal(0.5, schedule.UntilRetry().TotalSeconds);
    }

    [Fact]
    public void Two_pods_do_not_retry_together()
    {
        Assert.Equal(0.25, new RenewalSchedule(Environment_(), () => 0).UntilRetry().TotalSeconds);
    }

    private static AgentEnvironment Environment_(params (string Name, string Value)[] variables) =>
        new(variables.ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal));
}
