using System.Globalization;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>
/// The labels of one pair of peers and one service, and the series of every outcome seen between them. Belongs to one loop.
/// </summary>
internal sealed class PeerLabels(IstioStatsSettings settings, string?[] labels, bool? mutualTls)
{
    // Outcomes are codes, flags and statuses; more of them come from expressions with many values.
    private const int MaxOutcomes = 1024;

    private readonly Dictionary<OutcomeKey, SeriesSet> _outcomes = [];
    private OutcomeKey _lastKey;
    private SeriesSet? _last;

    /// <param name="info">Whose flags the key has.</param>
    public SeriesSet Series(in OutcomeKey key, StreamInfo info)
    {
        if (_last is { } last && key.Equals(_lastKey))
        {
            return last;
        }
        if (!_outcomes.TryGetValue(key, out var found))
        {
            if (_outcomes.Count >= MaxOutcomes)
            {
                _outcomes.Clear();
            }
            _outcomes[key] = found = new SeriesSet(settings, WithOutcome(key, info), key.Expressions);
        }
        _lastKey = key;
        return _last = found;
    }

    private string?[] WithOutcome(in OutcomeKey key, StreamInfo info)
    {
        var whole = (string?[])labels.Clone();
        if (key.Kind == ExchangeKind.GrpcMessages)
        {
            return whole;
        }
        whole[(int)IstioTag.RequestProtocol] = key.Kind switch
        {
            ExchangeKind.Http => "http",
            ExchangeKind.Grpc => "grpc",
            _ => "tcp",
        };
        if (key.Kind != ExchangeKind.Tcp)
        {
            whole[(int)IstioTag.ResponseCode] = key.Code.ToString(CultureInfo.InvariantCulture);
            whole[(int)IstioTag.GrpcResponseStatus] = key.GrpcStatus?.ToString(CultureInfo.InvariantCulture) ?? "";
        }
        whole[(int)IstioTag.ResponseFlags] = ResponseFlagNames.Join(info);
        whole[(int)IstioTag.ConnectionSecurityPolicy] =
            mutualTls switch { true => "mutual_tls", false => "none", null => IstioLabels.Unknown };
        return whole;
    }
}
