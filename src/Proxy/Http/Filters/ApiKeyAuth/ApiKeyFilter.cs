using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.ApiKeyAuth;

/// <summary>Lets clients with a known key pass.</summary>
internal sealed class ApiKeyFilter(ApiKeyPolicy own, Counter allowed, Counter unauthorized, Counter forbidden) : IStreamDecoderFilter
{
    private const int Unauthorized = 401;
    private const int Forbidden = 403;

    private IStreamDecoderFilterCallbacks _callbacks = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var route = _callbacks.MostSpecificPerFilterConfig<ApiKeyPolicy>();
        var keys = route is { HasKeys: true } ? route : own;
        var sources = route is { HasSources: true } ? route : own;
        var output = route is { ForwardHeader: not null } ? route : own;
        if (sources.Extract(headers) is not { } key)
        {
            return Deny(unauthorized, Unauthorized, "Client authentication failed."u8, "missing_api_key");
        }
        if (keys.Find(key) is not { } client)
        {
            return Deny(unauthorized, Unauthorized, "Client authentication failed."u8, "unknown_api_key");
        }
        if (route is not null && !route.Allows(client))
        {
            return Deny(forbidden, Forbidden, "Client is forbidden."u8, "client_not_allowed");
        }
        if (output.HideCredentials)
        {
            sources.Hide(headers);
        }
        if (output.ForwardHeader is { Length: > 0 } header)
        {
            headers.Set(header, Encoding.UTF8.GetBytes(client));
        }
        allowed.Inc();
        return FilterHeadersStatus.Continue;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public void OnDestroy()
    {
    }

    private FilterHeadersStatus Deny(Counter counter, int code, ReadOnlySpan<byte> body, string details)
    {
        counter.Inc();
        _callbacks.SendLocalReply(code, body, null, null, details);
        return FilterHeadersStatus.StopIteration;
    }
}
