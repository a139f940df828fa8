using System.Globalization;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>The compressors of one chain and what the client takes; the first to answer decides for all (RFC 9110 12.5.3).</summary>
internal sealed class AcceptEncoding : IFilterStateObject
{
    public const string Key = "envoy.filters.http.compressor.encoding";

    private readonly List<CompressorSettings> _compressors = [];
    private string? _chosen;

    public string? Header { get; set; }

    public string? SerializeAsString() => _chosen;

    public void Register(CompressorSettings compressor) => _compressors.Add(compressor);

    /// <summary>The coding to use, `identity` for none.</summary>
    public string Choose(HeaderMap response) => _chosen ??= Decide(response);

    private string Decide(HeaderMap response)
    {
        var best = "identity";
        var bestQuality = 0.0;
        var bestRank = int.MaxValue;
        foreach (var part in (Header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, quality) = Parse(part);
            if (quality <= 0)
            {
                continue;
            }
            var (coding, rank) = name == "identity" ? (name, int.MaxValue) : Find(name, response);
            if (coding is not null && (quality > bestQuality || (quality == bestQuality && rank < bestRank)))
            {
                (best, bestQuality, bestRank) = (coding, quality, rank);
            }
        }
        return best;
    }

    // A star stands for the first compressor that would do; one marked choose_first goes before its turn.
    private (string? Coding, int Rank) Find(string name, HeaderMap response)
    {
        for (var i = 0; i < _compressors.Count; i++)
        {
            var compressor = _compressors[i];
            if ((name == "*" || compressor.Codec.Encoding == name) && compressor.Response.IsTypeAllowed(response))
            {
                return (compressor.Codec.Encoding, compressor.ChooseFirst ? -1 : i);
            }
        }
        return (null, 0);
    }

    private static (string Name, double Quality) Parse(string part)
    {
        var semicolon = part.IndexOf(';', StringComparison.Ordinal);
        if (semicolon < 0)
        {
            return (part, 1);
        }
        var parameter = part[(semicolon + 1)..].Trim();
        var equals = parameter.IndexOf('=', StringComparison.Ordinal);
        var quality = equals > 0 && parameter[..equals].Trim().Equals("q", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(parameter[(equals + 1)..].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var given)
            ? given
            : 1;
        return (part[..semicolon].Trim(), quality);
    }
}
