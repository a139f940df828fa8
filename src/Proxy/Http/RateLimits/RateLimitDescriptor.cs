namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>One descriptor: what is counted together.</summary>
/// <param name="HitsAddend">How much this request counts; null is one.</param>
/// <param name="NegativeHits">Gives back instead of counting.</param>
/// <param name="ShowsLimits">Whether a local limiter tells clients of the limit; null leaves it to the filter.</param>
/// <param name="Limit">The limit that the request brings along; null leaves it to the service.</param>
internal sealed record RateLimitDescriptor(
    IReadOnlyList<KeyValuePair<string, string>> Entries, ulong? HitsAddend, bool NegativeHits, bool? ShowsLimits, RateLimitOverride? Limit);

/// <summary>A limit instead of the service's own.</summary>
/// <param name="Unit">envoy.type.v3.RateLimitUnit.</param>
/// <param name="Multiplier">How many units the window has; null is one.</param>
internal sealed record RateLimitOverride(uint RequestsPerUnit, int Unit, uint? Multiplier = null);
