using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>What descriptors are made of.</summary>
/// <param name="ResponseHeaders">Known to those that are made when the exchange is over.</param>
internal readonly record struct RateLimitContext(HeaderMap Headers, StreamInfo Info, Route? Route, HeaderMap? ResponseHeaders = null)
{
    public LogContext ForFormats => new(Headers, ResponseHeaders, null, Info);

    public ReadOnlySpan<byte> Query
    {
        get
        {
            var path = Headers.Get(KnownHeader.Path);
            var start = path.IndexOf((byte)'?');
            return start < 0 ? default : path[(start + 1)..];
        }
    }
}
