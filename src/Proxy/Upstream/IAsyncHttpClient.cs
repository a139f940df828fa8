using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;

namespace MeshProxy.Proxy.Upstream;

/// <summary>The proxy's own HTTP and gRPC calls over a cluster: they pass the router's logic (timeout, retries, stats) as Envoy's AsyncClient. Used from a loop; answers come on that loop.</summary>
public interface IAsyncHttpClient
{
    /// <summary>One request, one whole response.</summary>
    IAsyncRequest? Send(HeaderMap headers, ReadOnlySpan<byte> body, AsyncRequestOptions options, IAsyncRequestCallbacks callbacks);

    /// <summary>A stream (bidirectional gRPC).</summary>
    IAsyncStream? Start(AsyncRequestOptions options, IResponseDecoder decoder, IAsyncStreamCallbacks callbacks);
}

public sealed record AsyncRequestOptions
{
    /// <summary>Zero is no limit.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>The exchange whose filter state the call shares.</summary>
    public Observability.StreamInfo? ParentStreamInfo { get; init; }

    /// <summary>What the call is made for: seen by formats in the call's own headers, by nothing else.</summary>
    public Observability.LogContext? Formats { get; init; }

    /// <summary>The call has a span of its own below this one; null traces nothing.</summary>
    public Observability.Tracing.ISpan? ParentSpan { get; init; }

    /// <summary>Name of that span; null names it after the cluster.</summary>
    public string? SpanName { get; init; }

    /// <summary>Whether that span is sampled; null as its parent.</summary>
    public bool? Sampled { get; init; }

    public Envoy.Config.Route.V3.RetryPolicy? RetryPolicy { get; init; }

    /// <summary>x-envoy-internal, x-forwarded-for as Envoy adds them to its own calls.</summary>
    public bool SendInternalHeaders { get; init; } = true;

    /// <summary>Whether x-forwarded-for is among them.</summary>
    public bool SendForwardedFor { get; init; } = true;

    /// <summary>HTTP/1 header names in proper case etc. do not apply; buffer limit for the response body, bytes, 0 for none.</summary>
    public uint MaxResponseBytes { get; init; }
}

public interface IAsyncRequest
{
    /// <summary>The exchange's own record; null before it began.</summary>
    Observability.StreamInfo? StreamInfo { get; }

    void Cancel();
}

public interface IAsyncRequestCallbacks
{
    void OnSuccess(HeaderMap responseHeaders, Transport.ByteBuffer body, HeaderMap? trailers);

    /// <summary>No whole response came (reset, exceeded limit). A 503/504 made locally comes as success, as in Envoy.</summary>
    void OnFailure(string reason);
}

public interface IAsyncStream
{
    void SendHeaders(HeaderMap headers, bool endStream);

    void SendData(Transport.ByteBuffer data, bool endStream);

    void SendTrailers(HeaderMap trailers);

    void Reset();

    bool IsAboveWriteBufferHighWatermark { get; }

    /// <summary>The exchange's own record.</summary>
    Observability.StreamInfo StreamInfo { get; }
}

public interface IAsyncStreamCallbacks
{
    void OnReset(string reason);

    void OnComplete();
}
