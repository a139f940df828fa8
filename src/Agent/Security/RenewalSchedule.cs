using System.Globalization;
using MeshProxy.Agent.Configuration;

namespace MeshProxy.Agent.Security;

/// <summary>When credentials are renewed, and how long to wait after an authority failed. Not safe for several threads.</summary>
/// <param name="environment">The agent's: SECRET_GRACE_PERIOD_RATIO and its jitter.</param>
/// <param name="random">Numbers from 0 to 1.</param>
internal sealed class RenewalSchedule(AgentEnvironment environment, Func<double> random)
{
    // Istio's names and defaults (security/options.go): the part of a life that is left when the next one begins.
    private readonly double _graceRatio = Ratio(environment, "SECRET_GRACE_PERIOD_RATIO", 0.5);
    private readonly double _jitter = Ratio(environment, "SECRET_GRACE_PERIOD_RATIO_JITTER", 0.01);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    // A clock that was set, or a machine that slept, must not put the next look off by more.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private TimeSpan _retry = FirstRetry;

    /// <summary>How long what was just issued is used before the next is asked for.</summary>
    /// <param name="issued">When it came: authorities let validity begin earlier, for clocks that differ.</param>
    /// <param name="expiry">When it ends.</param>
    public TimeSpan UntilRenewal(DateTimeOffset issued, DateTimeOffset expiry)
    {
        _retry = FirstRetry;
        // Not all pods of a rollout in the same second.
        var ratio = Math.Clamp(_graceRatio + (((random() * 2) - 1) * _jitter), 0, 1);
        var wait = (expiry - issued) * (1 - ratio);
        return wait < FirstRetry ? FirstRetry : wait < LongestWait ? wait : LongestWait;
    }

    /// <summary>How long to wait before the authority is asked again; longer each time, and not the same for all pods.</summary>
    public TimeSpan UntilRetry()
    {
        var longest = _retry;
        _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
        return (longest / 2) + (longest / 2 * random());
    }

    private static double Ratio(AgentEnvironment environment, string name, double absent) =>
        environment.Find(name) is not { } text ? absent
        : double.TryParse(text, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1 ? ratio
        : throw new AgentException($"{name} is \"{text}\", which is no number from 0 to 1");
}
