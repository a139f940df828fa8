namespace MeshProxy.Proxy.Http.Codec;

/// <summary>What the head parser found beside the headers themselves. Spans lie in the header map's store.</summary>
internal ref struct Http1Head
{
    public ReadOnlySpan<byte> Method;

    /// <summary>The request target as it came.</summary>
    public ReadOnlySpan<byte> Target;

    public int StatusCode;

    public ReadOnlySpan<byte> ReasonPhrase;

    /// <summary>`HTTP/1.1` exactly; all else counts as HTTP/1.0.</summary>
    public bool IsHttp11;

    public bool HasContentLength;

    /// <summary>Meaningful if <see cref="HasContentLength"/>.</summary>
    public ulong ContentLength;

    public bool HasTransferEncoding;
}
