using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>HttpConnectionManager.tracing, compiled: which requests are traced and by whom.</summary>
internal sealed class TracingConfig(StatBlock stats, Sampling sampling, RequestIdExtension requestId)
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("random_sampling", StatKind.Counter),
        ("service_forced", StatKind.Counter),
        ("client_enabled", StatKind.Counter),
        ("not_traceable", StatKind.Counter),
        ("health_check", StatKind.Counter),
    ]);

    /// <summary>Starts spans; null traces nothing but still decides and marks the id.</summary>
    public ITracer? Tracer { get; init; }

    public required SpanSettings Settings { get; init; }

    /// <summary>The listener's direction is outbound.</summary>
    public bool IsEgress => Settings.IsEgress;

    /// <summary>Decides whether the request is traced and packs the reason into its id.</summary>
    public TraceReason Decide(HeaderMap headers, RouteTracing? route)
    {
        if (!requestId.UseForSampling)
        {
            return TraceReason.Sampling;
        }
        if (RequestIdExtension.Integer(headers) is not { } number)
        {
            return TraceReason.NotTraceable;
        }
        var draw = number % 10_000;
        var shares = route?.Sampling ?? sampling;
        var reason = requestId.Reason(headers);
        if (reason == TraceReason.NotTraceable)
        {
            reason = Begin(headers, shares, draw);
            if (reason != TraceReason.NotTraceable)
            {
                requestId.SetReason(headers, reason);
            }
        }
        if (reason != TraceReason.NotTraceable && !shares.Overall.Takes(draw))
        {
            reason = TraceReason.NotTraceable;
            requestId.SetReason(headers, reason);
        }
        return reason;
    }

    /// <summary>Counts how a request that has ended was chosen: only then is it known whether it was a health check.</summary>
    public void Count(TraceReason reason, bool isHealthCheck)
    {
        if (isHealthCheck)
        {
            stats.Inc(4);
            reason = TraceReason.NotTraceable;
        }
        stats.Inc(reason switch
        {
            TraceReason.Sampling => 0,
            TraceReason.ServiceForced => 1,
            TraceReason.ClientForced => 2,
            _ => 3,
        });
    }

    private static TraceReason Begin(HeaderMap headers, Sampling shares, ulong draw)
    {
        if (headers.Contains(KnownHeader.XClientTraceId) && shares.Client.Takes((ulong)Random.Shared.NextInt64()))
        {
            return TraceReason.ClientForced;
        }
        if (headers.Contains(KnownHeader.EnvoyForceTrace))
        {
            return TraceReason.ServiceForced;
        }
        return shares.Random.Takes(draw) ? TraceReason.Sampling : TraceReason.NotTraceable;
    }
}
