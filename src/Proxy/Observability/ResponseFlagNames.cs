using System.Numerics;

namespace MeshProxy.Proxy.Observability;

/// <summary>Short and long names of the response flags, by bit number.</summary>
public static class ResponseFlagNames
{
    private static readonly string[] Shorts =
    [
        "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX", "SI", "IH", "DPE",
        "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR", "UDO",
    ];

    private static readonly string[] Longs =
    [
        "FailedLocalHealthCheck", "NoHealthyUpstream", "UpstreamRequestTimeout", "LocalReset", "UpstreamRemoteReset",
        "UpstreamConnectionFailure", "UpstreamConnectionTermination", "UpstreamOverflow", "NoRouteFound", "DelayInjected",
        "FaultInjected", "RateLimited", "UnauthorizedExternalService", "RateLimitServiceError", "DownstreamConnectionTermination",
        "UpstreamRetryLimitExceeded", "StreamIdleTimeout", "InvalidEnvoyRequestHeaders", "DownstreamProtocolError",
        "UpstreamMaxStreamDurationReached", "ResponseFromCacheFilter", "NoFilterConfigFound", "DurationTimeout",
        "UpstreamProtocolError", "NoClusterFound", "OverloadManagerTerminated", "DnsResolutionFailed", "DropOverload",
        "DownstreamRemoteReset", "UnconditionalDropOverload",
    ];

    public static string Short(int flag) => Shorts[flag];

    public static string Long(int flag) => Longs[flag];

    /// <summary>The flag with the short name; None if there is none.</summary>
    public static ResponseFlags Find(string shortName)
    {
        var number = Array.IndexOf(Shorts, shortName);
        return number < 0 ? ResponseFlags.None : (ResponseFlags)(1UL << number);
    }

    /// <summary>Short names in the order the flags were set, joined by commas (Istio metrics, tags); "-" if there are none.</summary>
    public static string Join(StreamInfo info)
    {
        if (info.ResponseFlags == 0)
        {
            return "-";
        }
        if (BitOperations.PopCount((ulong)info.ResponseFlags) == 1)
        {
            return Shorts[BitOperations.TrailingZeroCount((ulong)info.ResponseFlags)];
        }
        var names = new List<string>();
        for (var i = 0; info.FlagAt(i) is var flag and >= 0; i++)
        {
            names.Add(Shorts[flag]);
        }
        return string.Join(',', names);
    }
}
