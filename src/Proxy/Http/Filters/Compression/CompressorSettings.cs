using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Http.Compressor.V3.Compressor;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>A compiled compressor filter.</summary>
internal sealed class CompressorSettings : IHttpFilterConfig
{
    private static readonly StatBlockLayout ResponseLayout = new(
    [
        ("no_accept_header", StatKind.Counter),
        ("header_identity", StatKind.Counter),
        ("header_compressor_used", StatKind.Counter),
        ("header_compressor_overshadowed", StatKind.Counter),
        ("header_wildcard", StatKind.Counter),
        ("header_not_valid", StatKind.Counter),
        ("not_compressed_etag", StatKind.Counter),
    ]);

    public CompressorSettings(Config config, string statPrefix, FactoryContext context)
    {
        Codec = ContentCodec.Compile(config.CompressorLibrary, "compressor.compressor_library");
        var scope = context.ServerScope.Scope($"{statPrefix}compressor.{config.CompressorLibrary!.Value.Name}.{Codec.StatPrefix}");
        var response = config.ResponseDirectionConfigValue;
        var responseScope = response is null ? scope : scope.Scope("response");
        Response = new CompressionDirection(response?.CommonConfig, config.ContentLength, config.ContentType,
            new RuntimeSwitch(response is null ? config.RuntimeEnabled : response.Value.CommonConfig?.Enabled, context.Runtime), responseScope);
        ResponseStats = responseScope.Block(ResponseLayout);
        var request = config.RequestDirectionConfigValue;
        Request = new CompressionDirection(request?.CommonConfig, null, [],
            new RuntimeSwitch(request?.CommonConfig?.Enabled, context.Runtime), scope.Scope("request"));
        CompressesRequests = request is not null;
        DisableOnEtag = response?.DisableOnEtagHeader ?? config.DisableOnEtagHeader;
        RemoveAcceptEncoding = response?.RemoveAcceptEncodingHeader ?? config.RemoveAcceptEncodingHeader;
        WeakenEtag = response?.WeakenEtagOnCompress ?? false;
        UncompressibleCodes = [.. response?.UncompressibleResponseCodes ?? default];
        ChooseFirst = config.ChooseFirst;
    }

    public ContentCodec Codec { get; }

    public CompressionDirection Response { get; }

    public StatBlock ResponseStats { get; }

    public CompressionDirection Request { get; }

    public bool CompressesRequests { get; }

    public bool DisableOnEtag { get; }

    public bool RemoveAcceptEncoding { get; }

    public bool WeakenEtag { get; }

    public IReadOnlyList<uint> UncompressibleCodes { get; }

    public bool ChooseFirst { get; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new CompressorFilter(this));
}

/// <summary>CompressorPerRoute: off, or on with another way of treating accept-encoding.</summary>
internal sealed record CompressorOverride(bool Disabled, bool? RemoveAcceptEncoding);
