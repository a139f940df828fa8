using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Admin;

/// <summary>The last filter of the admin interface's connection manager: gathers the request, asks the handler, streams the answer.</summary>
internal sealed class AdminFilter(AdminHandler handler, AllowedPaths allowed) : IStreamDecoderFilter, IHttpFilterConfig
{
    private const int Forbidden = 403;

    private readonly ByteBuffer _body = new();
    private IStreamDecoderFilterCallbacks _callbacks = null!;
    private HeaderMap _headers = null!;

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new AdminFilter(handler, allowed));

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _headers = headers;
        if (!allowed.Allow(headers.Get(KnownHeader.Path)))
        {
            _callbacks.SendLocalReply(Forbidden, "This path is not among the admin interface's allow_paths.\n"u8, null, null,
                ResponseCodeDetails.AdminFilterResponse);
            return FilterHeadersStatus.StopIteration;
        }
        if (endStream)
        {
            Answer();
        }
        return FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        _body.MoveFrom(data);
        if (endStream)
        {
            Answer();
        }
        return FilterDataStatus.StopIterationNoBuffer;
    }

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        Answer();
        return FilterTrailersStatus.StopIteration;
    }

    public void OnDestroy() => _body.Clear();

    private void Answer()
    {
        var method = _headers.GetString(KnownHeader.Method) ?? "GET";
        var response = handler.Handle(method, _headers.GetString(KnownHeader.Path) ?? "/", _headers, _body.ToArray());
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Status, response.Status);
        headers.Set(KnownHeader.ContentType, response.ContentType);
        headers.Set(KnownHeader.CacheControl, "no-cache, max-age=0");
        // Keeps browsers from guessing another type and running what a statistic's name might hold.
        headers.Add("x-content-type-options", "nosniff");
        _callbacks.EncodeHeaders(headers, method == "HEAD", "admin_filter_response");
        if (method != "HEAD")
        {
            Stream(response);
        }
    }

    private void Stream(AdminResponse response)
    {
        var piece = new ArrayBufferWriter<byte>();
        bool more;
        do
        {
            piece.ResetWrittenCount();
            more = response.NextPiece(piece);
            var data = new ByteBuffer();
            data.Append(piece.WrittenSpan);
            _callbacks.EncodeData(data, !more);
        }
        while (more);
    }
}
