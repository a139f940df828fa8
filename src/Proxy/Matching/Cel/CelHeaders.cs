using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Headers as a map; names in any case, several values joined by commas.</summary>
internal sealed class CelHeaders(HeaderMap headers) : ICelMap
{
    public enum Source
    {
        Request,
        Response,
        Trailers,
    }

    public int Count => headers.Count;

    public IEnumerable<CelValue> Keys
    {
        get
        {
            var names = new List<CelValue>();
            for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
            {
                names.Add(CelValue.Of(Encoding.Latin1.GetString(headers.Name(i)).ToLowerInvariant()));
            }
            return names;
        }
    }

    public static HeaderMap? Of(Source source, in LogContext context) =>
        source switch
        {
            Source.Request => context.RequestHeaders,
            Source.Response => context.ResponseHeaders,
            _ => context.ResponseTrailers,
        };

    public bool TryGet(in CelValue key, out CelValue value)
    {
        var joined = key.Kind == CelKind.String ? headers.GetJoined(Encoding.ASCII.GetBytes(key.AsString)) : null;
        value = joined is null ? default : CelValue.Of(joined);
        return joined is not null;
    }
}
