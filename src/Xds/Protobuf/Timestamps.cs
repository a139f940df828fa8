namespace MeshProxy.Xds.Protobuf;

/// <summary>google.protobuf.Timestamp: seconds and nanoseconds since 1970.</summary>
internal static class Timestamps
{
    private const int Seconds = 0;
    private const int Nanoseconds = 1;
    private const int NanosecondsPerTick = 100;

    public static DateTimeOffset ToDateTimeOffset(Message message)
    {
        var seconds = message.GetInt64(Seconds);
        return seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() ? DateTimeOffset.MinValue
            : seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue
            : DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(message.GetInt32(Nanoseconds) / NanosecondsPerTick);
    }

    public static Message FromDateTimeOffset(DateTimeOffset time)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var seconds = (long)Math.Floor((decimal)ticks / TimeSpan.TicksPerSecond);
        return FromParts(seconds, (int)(ticks - (seconds * TimeSpan.TicksPerSecond)) * NanosecondsPerTick);
    }

    public static Message FromParts(long seconds, int nanoseconds)
    {
        var message = new Message(WellKnownTypes.Timestamp);
        message.SetInt64(Seconds, seconds);
        message.SetInt32(Nanoseconds, nanoseconds);
        return message;
    }

    public static (long Seconds, int Nanoseconds) Parts(Message message) =>
        (message.GetInt64(Seconds), message.GetInt32(Nanoseconds));
}
