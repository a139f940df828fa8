namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>Takes the headers of a block as they are decoded; the spans are valid during the call.</summary>
internal interface IHeaderSink
{
    /// <param name="known">The slot found for the name, case sensitive as HTTP/2 names are; None for others.</param>
    void OnHeader(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);
}
