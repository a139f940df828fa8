using System.Buffers.Text;
using System.Text;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Http.Compressor.V3.Compressor.CommonDirectionConfig;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>What both directions of a compressor decide alike, and their statistics.</summary>
internal sealed class CompressionDirection
{
    private const uint DefaultMinimum = 30;

    private static readonly string[] DefaultTypes =
    [
        "text/html", "text/plain", "text/css", "application/javascript", "application/x-javascript", "text/javascript",
        "text/x-javascript", "text/ecmascript", "text/js", "text/jscript", "text/x-js", "application/ecmascript",
        "application/x-json", "application/xml", "application/json", "image/svg+xml", "text/xml", "application/xhtml+xml",
    ];

    private static readonly StatBlockLayout Layout = new(
    [
        ("compressed", StatKind.Counter),
        ("not_compressed", StatKind.Counter),
        ("total_uncompressed_bytes", StatKind.Counter),
        ("total_compressed_bytes", StatKind.Counter),
        ("content_length_too_small", StatKind.Counter),
    ]);

    private readonly StatBlock _stats;
    private readonly uint _minimum;
    private readonly HashSet<string> _types;
    private readonly RuntimeSwitch _switch;

    public CompressionDirection(
        Config? config, uint? oldMinimum, IReadOnlyList<string> oldTypes, RuntimeSwitch enabled, IStatsScope scope)
    {
        _stats = scope.Block(Layout);
        _minimum = config?.MinContentLength ?? oldMinimum ?? DefaultMinimum;
        _switch = enabled;
        var types = config is { ContentType.Count: > 0 } given ? given.ContentType : oldTypes.Count > 0 ? oldTypes : DefaultTypes;
        _types = new HashSet<string>(types, StringComparer.OrdinalIgnoreCase);
    }

    public bool IsOn => _switch.IsOn;

    public void CountDecision(bool compressed) => _stats.Inc(compressed ? 0 : 1);

    public void CountBytes(long before, long after)
    {
        _stats.Add(2, before);
        _stats.Add(3, after);
    }

    /// <summary>A length that is not known is long enough.</summary>
    public bool IsLongEnough(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.ContentLength, out var value)
            || !Utf8Parser.TryParse(value, out ulong length, out _) || length >= _minimum)
        {
            return true;
        }
        _stats.Inc(4);
        return false;
    }

    public bool IsTypeAllowed(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.ContentType, out var type) || _types.Count == 0)
        {
            return true;
        }
        var end = type.IndexOf((byte)';');
        return _types.Contains(Encoding.Latin1.GetString((end < 0 ? type : type[..end]).Trim(" \t"u8)));
    }
}
