using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>What descriptors are made of.</summary>
internal readonly record struct RateLimitContext(HeaderMap Headers, StreamInfo Info, Route? Route)
{
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
