using System.IO.Compression;
using MeshProxy.Proxy.Configuration;
using ZstdCompressor = Envoy.Extensions.Compression.Zstd.Compressor.V3.Zstd;
using ZstdDecompressor = Envoy.Extensions.Compression.Zstd.Decompressor.V3.Zstd;
using Config = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>A content coding with its settings: makes the streams that pack and unpack one body.</summary>
/// <param name="Encoding">`gzip`, `br`, `zstd`: the token of content-encoding.</param>
/// <param name="StatPrefix">Of the library, as Envoy names it.</param>
/// <param name="Pack">Makes the stream that packs into another.</param>
/// <param name="Unpack">Makes the stream that unpacks another.</param>
internal sealed record ContentCodec(string Encoding, string StatPrefix, Func<Stream, Stream> Pack, Func<Stream, Stream> Unpack)
{
    // Envoy's default (zstd.proto, compression_level).
    private const uint DefaultZstdLevel = 3;

    public BodyTransformer Compressor() => new(Pack);

    public BodyTransformer Decompressor() => BodyTransformer.Unpacking(Unpack);

    public static ContentCodec Compile(Config? library, string field)
    {
        switch (library?.TypedConfig?.TypeName)
        {
            case "envoy.extensions.compression.gzip.compressor.v3.Gzip":
                var gzip = library.Value.TypedConfig!.Unpack<Envoy.Extensions.Compression.Gzip.Compressor.V3.Gzip>();
                return Gzip(LevelOf((int)gzip.CompressionLevelValue));
            case "envoy.extensions.compression.brotli.compressor.v3.Brotli":
                return Brotli(CompressionLevel.Fastest);
            case "envoy.extensions.compression.gzip.decompressor.v3.Gzip":
                return Gzip(CompressionLevel.Optimal);
            case "envoy.extensions.compression.brotli.decompressor.v3.Brotli":
                return Brotli(CompressionLevel.Optimal);
            case "envoy.extensions.compression.zstd.compressor.v3.Zstd":
                return Zstd(library.Value.TypedConfig!.Unpack<ZstdCompressor>(), field);
            case "envoy.extensions.compression.zstd.decompressor.v3.Zstd":
                var zstd = library.Value.TypedConfig!.Unpack<ZstdDecompressor>();
                return zstd.Dictionaries.Count > 0 ? throw Dictionary(field) : Zstd(DefaultZstdLevel, checksum: false);
            default:
                throw new ConfigurationException($"{field}: Didn't find a registered implementation for '{library?.Name}' with type URL: '{library?.TypedConfig?.TypeName}'; use gzip, brotli or zstd.");
        }
    }

    private static ContentCodec Gzip(CompressionLevel level) => new("gzip", "gzip",
        output => new GZipStream(output, level, leaveOpen: true),
        input => new GZipStream(input, CompressionMode.Decompress, leaveOpen: true));

    private static ContentCodec Brotli(CompressionLevel level) => new("br", "brotli",
        output => new BrotliStream(output, level, leaveOpen: true),
        input => new BrotliStream(input, CompressionMode.Decompress, leaveOpen: true));

    private static ContentCodec Zstd(ZstdCompressor config, string field) => config.Dictionary is not null
        ? throw Dictionary(field)
        : Zstd(config.CompressionLevel ?? DefaultZstdLevel, config.EnableChecksum);

    private static ContentCodec Zstd(uint level, bool checksum) => new("zstd", "zstd",
        output =>
        {
            var stream = new ZstdSharp.CompressionStream(output, (int)level, leaveOpen: true);
            stream.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, checksum ? 1 : 0);
            return stream;
        },
        input => new ZstdSharp.DecompressionStream(input, checkEndOfStream: false, leaveOpen: true));

    private static ConfigurationException Dictionary(string field) =>
        new($"{field}: dictionaries of zstd are not supported; leave them out.");

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
