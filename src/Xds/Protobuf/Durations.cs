namespace MeshProxy.Xds.Protobuf;

/// <summary>google.protobuf.Duration as nanoseconds in 64 bits: ±292 years, the range Envoy accepts too.</summary>
internal static class Durations
{
    public const int NanosecondsPerSecond = 1_000_000_000;
    private const int NanosecondsPerTick = 100;

    /// <exception cref="ProtobufException">The sum is out of range.</exception>
    public static long FromParts(long seconds, int nanoseconds)
    {
        var total = ((Int128)seconds * NanosecondsPerSecond) + nanoseconds;
        return total >= long.MinValue && total <= long.MaxValue
            ? (long)total
            : throw new ProtobufException($"a duration of {seconds} seconds is out of range, at most 292 years are possible");
    }

    public static TimeSpan ToTimeSpan(long nanoseconds) => new(nanoseconds / NanosecondsPerTick);

    /// <summary>Saturates at the ends of the range.</summary>
    public static long FromTimeSpan(TimeSpan value) =>
        (long)Int128.Clamp((Int128)value.Ticks * NanosecondsPerTick, long.MinValue, long.MaxValue);
}
