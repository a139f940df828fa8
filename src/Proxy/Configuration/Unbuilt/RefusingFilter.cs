using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Filters;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>Answers 403 in the place of a filter that might have let fewer pass.</summary>
internal sealed class RefusingFilter : PassThroughFilter
{
    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        Decoder.SendLocalReply(403, default, null, null, "unsupported_security_filter");
        return FilterHeadersStatus.StopIteration;
    }
}
