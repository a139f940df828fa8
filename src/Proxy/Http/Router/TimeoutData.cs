using System.Buffers.Text;
using MeshProxy.Proxy.Http.Grpc;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The time-outs of one request after route, headers and gRPC had their say (Envoy's FilterUtility::finalTimeout). Zero is none.</summary>
internal struct TimeoutData
{
    public TimeSpan Global;
    public TimeSpan PerTry;
    public TimeSpan PerTryIdle;

    /// <summary>Reads and consumes the headers that set time-outs, and writes what backends are told.</summary>
    public static TimeoutData Decide(RouteActionEntry route, RetryPolicy retry, HeaderMap headers, bool insertExpected, bool isGrpc,
        bool hedging, bool respectExpected)
    {
        var timeout = new TimeoutData { PerTry = retry.PerTryTimeout, PerTryIdle = retry.PerTryIdleTimeout };
        if (!route.UsesNewTimeouts)
        {
            timeout.Global = isGrpc && route.MaxGrpcTimeout is { } max ? OldGrpcTimeout(route, headers, max) : route.Timeout;
        }
        var expected = respectExpected && headers.Contains(KnownHeader.EnvoyExpectedRqTimeoutMs);
        if (TryParse(headers, expected ? KnownHeader.EnvoyExpectedRqTimeoutMs : KnownHeader.EnvoyUpstreamRequestTimeoutMs, out var given))
        {
            timeout.Global = given;
        }
        if (!expected)
        {
            headers.Remove(KnownHeader.EnvoyUpstreamRequestTimeoutMs);
        }
        if (TryParse(headers, KnownHeader.EnvoyUpstreamRequestPerTryTimeoutMs, out var perTry))
        {
            timeout.PerTry = perTry;
        }
        headers.Remove(KnownHeader.EnvoyUpstreamRequestPerTryTimeoutMs);
        if (timeout.PerTry >= timeout.Global && timeout.Global > TimeSpan.Zero)
        {
            timeout.PerTry = TimeSpan.Zero;
        }
        timeout.SetHeaders(TimeSpan.Zero, route, headers, insertExpected, isGrpc, hedging);
        return timeout;
    }

    /// <summary>Tells the backend how long it has; called again for each retry with the time already gone.</summary>
    public readonly void SetHeaders(TimeSpan elapsed, RouteActionEntry route, HeaderMap headers, bool insertExpected, bool isGrpc,
        bool hedging)
    {
        var expected = hedging || PerTry == TimeSpan.Zero ? Global : PerTry;
        if (expected <= TimeSpan.Zero)
        {
            return;
        }
        if (Global > TimeSpan.Zero)
        {
            // Out of time: zero would mean "no limit", so one millisecond until the timer fires.
            expected = elapsed >= Global ? TimeSpan.FromMilliseconds(1) : expected < Global - elapsed ? expected : Global - elapsed;
        }
        if (insertExpected)
        {
            headers.Set(KnownHeader.EnvoyExpectedRqTimeoutMs, (long)expected.TotalMilliseconds);
        }
        if (isGrpc && !route.UsesNewTimeouts && route.MaxGrpcTimeout is not null)
        {
            GrpcCommon.SetTimeout(headers, expected);
        }
    }

    /// <summary>A whole number of milliseconds in a header that came once.</summary>
    public static bool TryParse(HeaderMap headers, KnownHeader header, out TimeSpan timeout)
    {
        var value = headers.Get(header).Trim(" \t"u8);
        if (!value.IsEmpty && Utf8Parser.TryParse(value, out long milliseconds, out var used) && used == value.Length
            && milliseconds is >= 0 and <= int.MaxValue)
        {
            timeout = TimeSpan.FromMilliseconds(milliseconds);
            return true;
        }
        timeout = TimeSpan.Zero;
        return false;
    }

    // Absent or zero is infinite; the offset is left out where it would reach zero.
    private static TimeSpan OldGrpcTimeout(RouteActionEntry route, HeaderMap headers, TimeSpan max)
    {
        var timeout = GrpcCommon.Timeout(headers) ?? TimeSpan.Zero;
        if (route.GrpcTimeoutOffset is { } offset && offset < timeout)
        {
            timeout -= offset;
        }
        return max > TimeSpan.Zero && (timeout == TimeSpan.Zero || timeout > max) ? max : timeout;
    }
}
