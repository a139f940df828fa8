namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Limits of a received message's head and trailers; beyond them the message is refused.</summary>
/// <param name="MaxHeadersKb">KiB of names and values (max_request_headers_kb, max_response_headers_kb; Envoy: 60, upstream HTTP/1 80).</param>
/// <param name="MaxHeadersCount">Number of headers (max_headers_count; Envoy: 100).</param>
/// <param name="Underscores">What becomes of names with an underscore (headers_with_underscores_action).</param>
public sealed record CodecLimits(
    uint MaxHeadersKb = 60, uint MaxHeadersCount = 100, UnderscoresAction Underscores = UnderscoresAction.Allow)
{
    public static readonly CodecLimits Default = new();

    /// <summary>Whether headers are still within the limits after filters changed them.</summary>
    public bool Hold(HeaderMap headers) => headers.Count <= MaxHeadersCount && headers.ByteSize <= MaxHeadersKb * 1024L;
}

/// <summary>headers_with_underscores_action.</summary>
public enum UnderscoresAction
{
    Allow,
    RejectRequest,
    DropHeader,
}
