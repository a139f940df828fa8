namespace MeshProxy.Proxy.Http.Filters.HeaderToMetadata;

/// <summary>Copies headers and cookies into dynamic metadata.</summary>
internal sealed class HeaderToMetadataFilter(MetadataRules own) : PassThroughFilter
{
    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        Rules().ApplyRequest(headers, Decoder.StreamInfo.DynamicMetadata);
        return FilterHeadersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        Rules().ApplyResponse(headers, Encoder.StreamInfo.DynamicMetadata);
        return FilterHeadersStatus.Continue;
    }

    private MetadataRules Rules() => Decoder.MostSpecificPerFilterConfig<MetadataRules>() ?? own;
}
