using Envoy.Service.Ratelimit.V3;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>A rate limit service's decision with what it wants told.</summary>
internal sealed class LimitAnswer
{
    public static readonly LimitAnswer Failed = new() { Status = LimitStatus.Error };

    public required LimitStatus Status { get; init; }

    public IReadOnlyList<RateLimitResponse.DescriptorStatus> Statuses { get; init; } = [];

    public IReadOnlyList<UnsafeHeader> ResponseHeaders { get; init; } = [];

    public IReadOnlyList<UnsafeHeader> RequestHeaders { get; init; } = [];

    /// <summary>Of the answer to a client that is over its limit.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    public MetadataValue.StructNode? DynamicMetadata { get; init; }

    public static LimitAnswer Read(RateLimitResponse response) => new()
    {
        // A service that gives no code limits nothing, as Envoy has it.
        Status = response.OverallCode == RateLimitResponse.Code.OverLimit ? LimitStatus.OverLimit : LimitStatus.Ok,
        Statuses = response.Statuses,
        ResponseHeaders = Headers(response.ResponseHeadersToAdd),
        RequestHeaders = Headers(response.RequestHeadersToAdd),
        Body = response.RawBody,
        DynamicMetadata = response.DynamicMetadata is { } fields ? MetadataConversion.ToStruct(fields) : null,
    };

    private static List<UnsafeHeader> Headers(IReadOnlyList<Envoy.Config.Core.V3.HeaderValue> headers)
    {
        var read = new List<UnsafeHeader>(headers.Count);
        foreach (var header in headers)
        {
            read.Add(new UnsafeHeader(header.Key,
                header.Value.Length > 0 ? header.Value : System.Text.Encoding.UTF8.GetString(header.RawValue.Span)));
        }
        return read;
    }
}
