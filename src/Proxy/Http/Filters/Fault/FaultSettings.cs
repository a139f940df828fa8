using System.Globalization;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault;
using Percent = Envoy.Type.V3.FractionalPercent;

namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>An abort: an HTTP status, or a gRPC status for 200.</summary>
internal readonly record struct FaultAbortChoice(int Code, int? GrpcStatus);

/// <summary>Compiled faults of a filter or a route. Runtime keys may change shares, durations and codes (http-semantics 24.1).</summary>
internal sealed class FaultSettings
{
    private readonly Config _config;
    private readonly IRuntime _runtime;
    private readonly HeaderMatcher[] _headers;
    private readonly HashSet<string> _nodes;

    public FaultSettings(Config config, IRuntime runtime)
    {
        _config = config;
        _runtime = runtime;
        _headers = HeaderMatcher.CompileAll(config.Headers, "fault.headers");
        _nodes = new HashSet<string>(config.DownstreamNodes, StringComparer.Ordinal);
        Body = System.Text.Encoding.UTF8.GetBytes(
            config.Abort is { ResponseBody.Length: > 0 } abort ? abort.ResponseBody : "fault filter abort");
        Metadata = config.FilterMetadata is { } metadata ? MetadataConversion.ToStruct(metadata) : null;
    }

    public byte[] Body { get; }

    /// <summary>Noted with each injected fault.</summary>
    public MetadataValue.StructNode? Metadata { get; }

    public bool CountsByCaller => !_config.DisableDownstreamClusterStats;

    public ulong MaxActive => _runtime.GetInteger(
        Key(_config.MaxActiveFaultsRuntime, "fault.http.max_active_faults"), _config.MaxActiveFaults ?? ulong.MaxValue);

    public bool AppliesTo(HeaderMap headers, string? cluster) =>
        (_config.UpstreamCluster.Length == 0 || _config.UpstreamCluster == cluster)
        && (_nodes.Count == 0 || _nodes.Contains(headers.GetString(KnownHeader.EnvoyDownstreamServiceNode) ?? ""))
        && HeaderMatcher.MatchAll(_headers, headers);

    /// <summary>How long this request waits; null not at all.</summary>
    public TimeSpan? Delay(HeaderMap headers, ulong random, string caller)
    {
        if (_config.Delay is not { } delay
            || !Drawn(delay.Percentage, "delay.fixed_delay_percent", _config.DelayPercentRuntime, caller,
                delay.HeaderDelayValue is null ? null : Number(headers, FaultHeaders.DelayRequestPercentage), random))
        {
            return null;
        }
        if (delay.HeaderDelayValue is not null)
        {
            return Number(headers, FaultHeaders.DelayRequest) is { } asked and > 0 ? TimeSpan.FromMilliseconds(asked) : null;
        }
        var milliseconds = Integer(
            "delay.fixed_duration_ms", _config.DelayDurationRuntime, caller, (ulong)(delay.FixedDelay ?? TimeSpan.Zero).TotalMilliseconds);
        return milliseconds > 0 ? TimeSpan.FromMilliseconds(milliseconds) : null;
    }

    public FaultAbortChoice? Abort(HeaderMap headers, ulong random, string caller)
    {
        if (_config.Abort is not { } abort)
        {
            return null;
        }
        var byHeader = abort.HeaderAbortValue is not null;
        var (http, grpc) = byHeader
            ? (Number(headers, FaultHeaders.AbortRequest), Number(headers, FaultHeaders.AbortGrpcRequest))
            : Statuses(abort, caller);
        if (http is not (>= 200 and < 600))
        {
            http = null;
        }
        if ((http is null && grpc is null)
            || !Drawn(abort.Percentage, "abort.abort_percent", _config.AbortPercentRuntime, caller,
                byHeader ? Number(headers, FaultHeaders.AbortRequestPercentage) : null, random))
        {
            return null;
        }
        return http is { } code ? new FaultAbortChoice((int)code, null) : new FaultAbortChoice(200, (int)grpc!.Value);
    }

    /// <summary>KiB a second for the response; null is not limited.</summary>
    public ulong? ResponseLimit(HeaderMap headers, ulong random)
    {
        if (_config.ResponseRateLimit is not { } limit)
        {
            return null;
        }
        var byHeader = limit.HeaderLimitValue is not null;
        var rate = byHeader ? Number(headers, FaultHeaders.ThroughputResponse) : limit.FixedLimitValue?.LimitKbps;
        return rate is > 0 && Drawn(limit.Percentage, "rate_limit.response_percent", _config.ResponseRateLimitPercentRuntime, "",
            byHeader ? Number(headers, FaultHeaders.ThroughputResponsePercentage) : null, random) ? rate : null;
    }

    private (ulong? Http, ulong? Grpc) Statuses(Envoy.Extensions.Filters.Http.Fault.V3.FaultAbort abort, string caller)
    {
        var kind = abort.ErrorTypeCase;
        var http = Integer("abort.http_status", _config.AbortHttpStatusRuntime, caller,
            kind == Envoy.Extensions.Filters.Http.Fault.V3.FaultAbort.ErrorTypeOneofCase.HttpStatus ? abort.HttpStatus : 0);
        if (http > 0)
        {
            return (http, null);
        }
        const ulong None = ulong.MaxValue;
        var grpc = Integer("abort.grpc_status", _config.AbortGrpcStatusRuntime, caller,
            kind == Envoy.Extensions.Filters.Http.Fault.V3.FaultAbort.ErrorTypeOneofCase.GrpcStatus ? abort.GrpcStatus : None);
        return (null, grpc == None ? null : grpc);
    }

    // A share asked by header counts up to the configured one.
    private bool Drawn(Percent? share, string name, string key, string caller, ulong? asked, ulong random)
    {
        var numerator = share?.Numerator ?? 0;
        var denominator = share?.Denominator switch
        {
            Percent.DenominatorType.TenThousand => 10_000u,
            Percent.DenominatorType.Million => 1_000_000u,
            _ => 100u,
        };
        if (asked is { } wanted)
        {
            numerator = (uint)Math.Min(numerator, wanted);
        }
        return _runtime.FeatureEnabled(Key(key, $"fault.http.{name}"), numerator, denominator, random)
            || (caller.Length > 0 && _runtime.FeatureEnabled($"fault.http.{caller}.{name}", 0, 100, random));
    }

    private ulong Integer(string name, string key, string caller, ulong given)
    {
        var value = _runtime.GetInteger(Key(key, $"fault.http.{name}"), given);
        return caller.Length > 0 ? _runtime.GetInteger($"fault.http.{caller}.{name}", value) : value;
    }

    private static string Key(string configured, string standard) => configured.Length > 0 ? configured : standard;

    private static ulong? Number(HeaderMap headers, ReadOnlySpan<byte> name) =>
        headers.GetString(name) is { } text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
