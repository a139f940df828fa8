using System.IO.Compression;
using MeshProxy.Proxy.Configuration;
using Config = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>A content coding with its settings: makes the streams that pack and unpack one body.</summary>
/// <param name="Encoding">`gzip`, `br`: the token of content-encoding.</param>
/// <param name="StatPrefix">Of the library, as Envoy names it.</param>
internal sealed record ContentCodec(string Encoding, string StatPrefix, CompressionLevel Level)
{
    public BodyTransformer Compressor() => new(output => Encoding == "br"
        ? new BrotliStream(output, Level, leaveOpen: true)
        : new GZipStream(output, Level, leaveOpen: true));

    public BodyTransformer Decompressor() => BodyTransformer.Unpacking(input => Encoding == "br"
        ? new BrotliStream(input, CompressionMode.Decompress, leaveOpen: true)
        : new GZipStream(input, CompressionMode.Decompress, leaveOpen: true));

    public static ContentCodec Compile(Config? library, string field)
    {
        switch (library?.TypedConfig?.TypeName)
        {
            case "envoy.extensions.compression.gzip.compressor.v3.Gzip":
                var gzip = library.Value.TypedConfig!.Unpack<Envoy.Extensions.Compression.Gzip.Compressor.V3.Gzip>();
                return new ContentCodec("gzip", "gzip", LevelOf((int)gzip.CompressionLevelValue));
            case "envoy.extensions.compression.brotli.compressor.v3.Brotli":
                return new ContentCodec("br", "brotli", CompressionLevel.Fastest);
            case "envoy.extensions.compression.gzip.decompressor.v3.Gzip":
                return new ContentCodec("gzip", "gzip", CompressionLevel.Optimal);
            case "envoy.extensions.compression.brotli.decompressor.v3.Brotli":
                return new ContentCodec("br", "brotli", CompressionLevel.Optimal);
            default:
                throw new ConfigurationException($"{field}: Didn't find a registered implementation for '{library?.Name}' with type URL: '{library?.TypedConfig?.TypeName}'; use gzip or brotli.");
        }
    }

    // Zlib's levels in the three steps the platform knows; the enum counts 1 to 9 behind its named values.
    private static CompressionLevel LevelOf(int level) => level switch
    {
        1 => CompressionLevel.SmallestSize,
        2 => CompressionLevel.Fastest,
        >= 3 and <= 5 => CompressionLevel.Fastest,
        >= 9 => CompressionLevel.SmallestSize,
        _ => CompressionLevel.Optimal,
    };
}
