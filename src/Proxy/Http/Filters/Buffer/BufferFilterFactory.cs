using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;
using PerRoute = Envoy.Extensions.Filters.Http.Buffer.V3.BufferPerRoute;

namespace MeshProxy.Proxy.Http.Filters.Buffer;

/// <summary>envoy.filters.http.buffer: holds requests until they are whole.</summary>
internal sealed class BufferFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.buffer";

    public string? PerRouteConfigType => PerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        new Compiled(new Limit(Config.From(message).MaxRequestBytes ?? 0, Disabled: false));

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = PerRoute.From(message);
        return new Limit(config.Buffer?.MaxRequestBytes ?? 0, config.Disabled);
    }

    private sealed record Limit(uint MaxBytes, bool Disabled);

    private sealed class Compiled(Limit limit) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new Filter(limit));
    }

    private sealed class Filter(Limit own) : PassThroughFilter
    {
        private HeaderMap? _headers;
        private long _received;
        private bool _disabled;

        public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            if (endStream)
            {
                return FilterHeadersStatus.Continue;
            }
            var limit = Decoder.MostSpecificPerFilterConfig<Limit>() ?? own;
            _disabled = limit.Disabled;
            if (_disabled)
            {
                return FilterHeadersStatus.Continue;
            }
            Decoder.DecoderBufferLimit = limit.MaxBytes;
            _headers = headers;
            return FilterHeadersStatus.StopIteration;
        }

        public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
        {
            _received += data.Length;
            if (endStream || _disabled)
            {
                SetContentLength();
                return FilterDataStatus.Continue;
            }
            // What comes beyond the limit is answered by the filter manager with 413.
            return FilterDataStatus.StopIterationAndBuffer;
        }

        public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
        {
            SetContentLength();
            return FilterTrailersStatus.Continue;
        }

        private void SetContentLength()
        {
            if (_headers is { } headers && !headers.Contains(KnownHeader.ContentLength))
            {
                headers.Remove(KnownHeader.TransferEncoding);
                headers.Set(KnownHeader.ContentLength, _received);
            }
        }
    }
}
