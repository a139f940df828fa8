namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>What came of asking a rate limit service.</summary>
internal enum LimitStatus
{
    Ok,

    /// <summary>The service could not be asked, or failed.</summary>
    Error,
    OverLimit,
}
