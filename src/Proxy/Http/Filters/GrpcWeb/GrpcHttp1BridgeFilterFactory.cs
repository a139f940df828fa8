using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.GrpcHttp1Bridge.V3.Config;

namespace MeshProxy.Proxy.Http.Filters.GrpcWeb;

/// <summary>envoy.filters.http.grpc_http1_bridge: lets HTTP/1.1 clients, which have no trailers, call gRPC.</summary>
internal sealed class GrpcHttp1BridgeFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.grpc_http1_bridge";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        return config.UpgradeProtobufToGrpc
            ? throw new ConfigurationException("grpc_http1_bridge.upgrade_protobuf_to_grpc: is not supported; send gRPC frames.")
            : new Compiled(config.IgnoreQueryParameters);
    }

    private sealed class Compiled(bool ignoreQuery) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new Filter(ignoreQuery));
    }

    private sealed class Filter(bool ignoreQuery) : PassThroughFilter
    {
        private bool _bridges;
        private HeaderMap? _response;

        public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            _bridges = GrpcCommon.IsGrpcRequest(headers) && Decoder.StreamInfo.Protocol != HttpProtocol.Http2;
            if (_bridges && ignoreQuery)
            {
                headers.Set(KnownHeader.Path, HeaderUtility.PathWithoutQuery(headers.Get(KnownHeader.Path)).ToArray());
            }
            return FilterHeadersStatus.Continue;
        }

        public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
        {
            if (!_bridges || endStream)
            {
                return FilterHeadersStatus.Continue;
            }
            _response = headers;
            return FilterHeadersStatus.StopIteration;
        }

        public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream) =>
            !_bridges || endStream ? FilterDataStatus.Continue : FilterDataStatus.StopIterationAndBuffer;

        // The status moves where HTTP/1.1 clients can see it.
        public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers)
        {
            if (!_bridges || _response is not { } headers)
            {
                return FilterTrailersStatus.Continue;
            }
            if (trailers.TryGet(KnownHeader.GrpcStatus, out var status))
            {
                headers.Set(KnownHeader.GrpcStatus, status);
                if (!status.SequenceEqual("0"u8))
                {
                    headers.Set(KnownHeader.Status, 503);
                }
            }
            if (trailers.TryGet(KnownHeader.GrpcMessage, out var message))
            {
                headers.Set(KnownHeader.GrpcMessage, message);
            }
            headers.Set(KnownHeader.ContentLength, Encoder.EncodingBuffer?.Length ?? 0);
            return FilterTrailersStatus.Continue;
        }
    }
}
