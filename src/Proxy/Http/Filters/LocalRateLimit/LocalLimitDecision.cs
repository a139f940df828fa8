using MeshProxy.Proxy.Network;

namespace MeshProxy.Proxy.Http.Filters.LocalRateLimit;

/// <summary>What a local limiter says of a request.</summary>
/// <param name="Bucket">The bucket that decided, or that is shown; null when nothing limits.</param>
/// <param name="Shadow">A descriptor in shadow mode would have refused.</param>
/// <param name="ShowsLimits">Whether clients are told of the bucket; null leaves it to the filter.</param>
internal readonly record struct LocalLimitDecision(bool Allowed, TokenBucket? Bucket, bool Shadow, bool? ShowsLimits);
