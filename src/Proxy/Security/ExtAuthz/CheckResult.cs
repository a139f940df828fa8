using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>An authorization service's decision with all it wants changed (Envoy's ExtAuthz::Response).</summary>
internal sealed class CheckResult
{
    /// <summary>Envoy's answer when a service denies without a code of its own.</summary>
    public const int Forbidden = 403;

    public static readonly CheckResult Failed = new() { Status = CheckStatus.Error };

    public required CheckStatus Status { get; init; }

    /// <summary>Of the answer to the client; 0 leaves it to the filter.</summary>
    public int StatusCode { get; init; }

    public byte[] Body { get; init; } = [];

    /// <summary>google.rpc status of a call that failed; null when there was no gRPC.</summary>
    public int? GrpcStatus { get; init; }

    /// <summary>Of the request when allowed, of the answer when denied: replace what is there.</summary>
    public List<UnsafeHeader> HeadersToSet { get; } = [];

    /// <summary>Added as lines of their own.</summary>
    public List<UnsafeHeader> HeadersToAdd { get; } = [];

    /// <summary>Joined to a value that is there; nothing happens when there is none.</summary>
    public List<UnsafeHeader> HeadersToAppend { get; } = [];

    public List<string> HeadersToRemove { get; } = [];

    public List<UnsafeHeader> QueryParametersToSet { get; } = [];

    public List<string> QueryParametersToRemove { get; } = [];

    public List<UnsafeHeader> ResponseHeadersToAdd { get; } = [];

    public List<UnsafeHeader> ResponseHeadersToSet { get; } = [];

    public List<UnsafeHeader> ResponseHeadersToAddIfAbsent { get; } = [];

    public List<UnsafeHeader> ResponseHeadersToOverwriteIfExists { get; } = [];

    /// <summary>A header option named an action that does not exist.</summary>
    public bool SawInvalidAction { get; set; }

    public Dictionary<string, MetadataValue> DynamicMetadata { get; } = new(StringComparer.Ordinal);

    public bool ChangesRequest => HeadersToSet.Count + HeadersToAdd.Count + HeadersToAppend.Count + HeadersToRemove.Count > 0
        || ChangesQuery;

    public bool ChangesQuery => QueryParametersToSet.Count + QueryParametersToRemove.Count > 0;
}
