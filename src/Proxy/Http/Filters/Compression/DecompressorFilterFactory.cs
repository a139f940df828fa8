using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Decompressor.V3.Decompressor;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>envoy.filters.http.decompressor: unpacks bodies of one content coding.</summary>
internal sealed class DecompressorFilterFactory : IHttpFilterFactory
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("request.decompressed", StatKind.Counter),
        ("request.not_decompressed", StatKind.Counter),
        ("request.total_uncompressed_bytes", StatKind.Counter),
        ("request.total_compressed_bytes", StatKind.Counter),
        ("response.decompressed", StatKind.Counter),
        ("response.not_decompressed", StatKind.Counter),
        ("response.total_uncompressed_bytes", StatKind.Counter),
        ("response.total_compressed_bytes", StatKind.Counter),
    ]);

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.decompressor";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var codec = ContentCodec.Compile(config.DecompressorLibrary, "decompressor.decompressor_library");
        var scope = context.ServerScope.Scope($"{statPrefix}decompressor.{config.DecompressorLibrary!.Value.Name}.{codec.StatPrefix}");
        return new Settings(
            codec, scope.Block(Layout),
            new RuntimeSwitch(config.RequestDirectionConfigValue?.CommonConfig?.Enabled, context.Runtime),
            new RuntimeSwitch(config.ResponseDirectionConfigValue?.CommonConfig?.Enabled, context.Runtime),
            config.RequestDirectionConfigValue?.CommonConfig?.IgnoreNoTransformHeader ?? false,
            config.ResponseDirectionConfigValue?.CommonConfig?.IgnoreNoTransformHeader ?? false,
            config.RequestDirectionConfigValue?.AdvertiseAcceptEncoding ?? true);
    }

    private sealed record Settings(
        ContentCodec Codec, StatBlock Stats, RuntimeSwitch Request, RuntimeSwitch Response, bool RequestIgnoresNoTransform,
        bool ResponseIgnoresNoTransform, bool Advertise) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new Filter(this));
    }

    private sealed class Filter(Settings settings) : PassThroughFilter
    {
        private BodyTransformer? _request;
        private BodyTransformer? _response;

        public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            if (settings.Advertise && settings.Request.IsOn && !HeaderTokens.Contains(
                headers.Get(KnownHeader.AcceptEncoding), Encoding.ASCII.GetBytes(settings.Codec.Encoding)))
            {
                HeaderUtility.Append(headers, KnownHeader.AcceptEncoding, default, Encoding.ASCII.GetBytes(settings.Codec.Encoding));
            }
            _request = Begin(headers, endStream, settings.Request.IsOn, settings.RequestIgnoresNoTransform, 0);
            return FilterHeadersStatus.Continue;
        }

        public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
        {
            Transform(_request, data, endStream, 0);
            return FilterDataStatus.Continue;
        }

        public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
        {
            _response = Begin(headers, endStream, settings.Response.IsOn, settings.ResponseIgnoresNoTransform, 4);
            return FilterHeadersStatus.Continue;
        }

        public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream)
        {
            Transform(_response, data, endStream, 4);
            return FilterDataStatus.Continue;
        }

        public override void OnDestroy()
        {
            _request?.Dispose();
            _response?.Dispose();
        }

        private BodyTransformer? Begin(HeaderMap headers, bool endStream, bool isOn, bool ignoresNoTransform, int stat)
        {
            var rest = (ReadOnlySpan<byte>)headers.Get(KnownHeader.ContentEncoding).ToArray();
            var applies = !endStream && isOn && HeaderTokens.Next(ref rest, out var first)
                && Ascii.EqualsIgnoreCase(first, Encoding.ASCII.GetBytes(settings.Codec.Encoding))
                && (ignoresNoTransform || !HeaderTokens.Contains(headers.Get(KnownHeader.CacheControl), "no-transform"u8));
            settings.Stats.Inc(stat + (applies ? 0 : 1));
            if (!applies)
            {
                return null;
            }
            rest = rest.Trim(" \t"u8);
            if (rest.IsEmpty)
            {
                headers.Remove(KnownHeader.ContentEncoding);
            }
            else
            {
                headers.Set(KnownHeader.ContentEncoding, rest);
            }
            headers.Remove(KnownHeader.ContentLength);
            return settings.Codec.Decompressor();
        }

        private void Transform(BodyTransformer? transformer, ByteBuffer data, bool endStream, int stat)
        {
            if (transformer is null)
            {
                return;
            }
            settings.Stats.Add(stat + 3, data.Length);
            try
            {
                transformer.Transform(data, endStream);
            }
            catch (Exception broken) when (broken is InvalidDataException or ZstdSharp.ZstdException)
            {
                // Broken input ends here; what was unpacked before goes on.
                data.Drain(data.Length);
            }
            settings.Stats.Add(stat + 2, data.Length);
        }
    }
}
