using System.Globalization;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability.Formatting;
using Op = Envoy.Config.Accesslog.V3.ComparisonFilter.Op;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>A number compared with a value that a runtime key may override.</summary>
internal sealed class Comparison(Op operation, ulong value, string runtimeKey, IRuntime runtime)
{
    public bool Holds(ulong number)
    {
        var limit = runtimeKey.Length == 0 ? value : runtime.GetInteger(runtimeKey, value);
        return operation switch
        {
            Op.Eq => number == limit,
            Op.Ge => number >= limit,
            Op.Le => number <= limit,
            _ => number != limit,
        };
    }
}

/// <summary>By response code; without an answer the code is 0.</summary>
internal sealed class StatusCodeLogFilter(Comparison comparison) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => comparison.Holds((ulong)context.StreamInfo.ResponseCode);
}

/// <summary>By duration in milliseconds, complete or so far.</summary>
internal sealed class DurationLogFilter(Comparison comparison) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => comparison.Holds((ulong)(DurationOperators.Total(context) ?? 0));
}

/// <summary>Not what the health_check filter answered.</summary>
internal sealed class NotHealthCheckLogFilter : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => !context.StreamInfo.IsHealthCheck;
}

/// <summary>Requests traced because a service asked for it (x-envoy-force-trace), which their id tells.</summary>
internal sealed class TraceableLogFilter : IAccessLogFilter
{
    // Where a UUID has its version; Envoy writes "a" there for forced traces.
    private const int ReasonPosition = 14;

    public bool Evaluate(in LogContext context) =>
        context.RequestHeaders is { } headers && headers.TryGet(KnownHeader.XRequestId, out var id)
        && id.Length > ReasonPosition && id[ReasonPosition] == 'a';
}

/// <summary>A share of the exchanges, the same for all proxies an id passes.</summary>
internal sealed class RuntimeLogFilter(string runtimeKey, uint numerator, uint denominator, bool independent, IRuntime runtime)
    : IAccessLogFilter
{
    // The first group of a UUID, as Envoy's UUIDRequestIDExtension makes a number of it.
    private const int IdDigits = 8;

    public bool Evaluate(in LogContext context)
    {
        ReadOnlySpan<byte> id = default;
        var draw = !independent && (context.RequestHeaders?.TryGet(KnownHeader.XRequestId, out id) ?? false) && id.Length >= IdDigits
            && uint.TryParse(id[..IdDigits], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number)
            ? number
            : (ulong)Random.Shared.NextInt64();
        return runtime.FeatureEnabled(runtimeKey, numerator, denominator, draw);
    }
}

/// <summary>All (or, else, any) of several filters; stops at the first that decides.</summary>
internal sealed class CombinedLogFilter(IAccessLogFilter[] filters, bool all) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context)
    {
        foreach (var filter in filters)
        {
            if (filter.Evaluate(context) != all)
            {
                return !all;
            }
        }
        return all;
    }
}

/// <summary>By a request header.</summary>
internal sealed class HeaderLogFilter(HeaderMatcher matcher) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => context.RequestHeaders is { } headers && matcher.Match(headers);
}

/// <summary>Any of the flags; without flags, any flag at all.</summary>
internal sealed class ResponseFlagLogFilter(ResponseFlags flags) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) =>
        flags == ResponseFlags.None ? context.StreamInfo.ResponseFlags != ResponseFlags.None : context.StreamInfo.HasFlag(flags);
}

/// <summary>By gRPC status, mapped from the HTTP code where there is none.</summary>
internal sealed class GrpcStatusLogFilter(HashSet<long> statuses, bool exclude) : IAccessLogFilter
{
    private const long Unknown = 2;

    public bool Evaluate(in LogContext context) => statuses.Contains(GrpcStatusNames.Of(context) ?? Unknown) != exclude;
}

/// <summary>By dynamic metadata; a missing key decides as configured.</summary>
internal sealed class MetadataLogFilter(string name, string[] path, ValueMatcher matcher, bool invert, bool whenMissing) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) =>
        MetadataPath.Find(context.StreamInfo.DynamicMetadata, name, path) is { } value
            ? matcher.Match(value) != invert
            : whenMissing;
}

/// <summary>By the moment of the record.</summary>
internal sealed class LogTypeLogFilter(HashSet<AccessLogType> types, bool exclude) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => types.Contains(context.Type) != exclude;
}

/// <summary>By an expression; an error is no match.</summary>
internal sealed class CelLogFilter(CelExpression expression) : IAccessLogFilter
{
    public bool Evaluate(in LogContext context) => expression.Matches(context);
}
