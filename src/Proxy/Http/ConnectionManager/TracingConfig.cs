using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>HttpConnectionManager.tracing, compiled: which requests are traced and by whom.</summary>
internal sealed class TracingConfig(IRuntime runtime, StatBlock stats, Sampling sampling, RequestIdExtension requestId)
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

    /// <summary>operation_name of the deprecated field, or the listener's direction: outbound spans are egress.</summary>
    public bool IsEgress { get; init; }

    /// <summary>Decides whether the request is traced and packs the reason into its id.</summary>
    public TraceReason Decide(HeaderMap headers, Envoy.Config.Route.V3.Tracing? route)
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
        var shares = route is { } own ? Sampling.Of(own, runtime) : sampling;
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

    public void Count(TraceReason reason, bool isHealthCheck) => stats.Inc(isHealthCheck ? 4 : reason switch
    {
        TraceReason.Sampling => 0,
        TraceReason.ServiceForced => 1,
        TraceReason.ClientForced => 2,
        _ => 3,
    });

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

/// <summary>The three shares of requests that are traced.</summary>
internal sealed record Sampling(FractionalPercent Client, FractionalPercent Random, FractionalPercent Overall)
{
    public static Sampling Of(Envoy.Config.Route.V3.Tracing config, IRuntime runtime) => new(
        Share(config.ClientSampling, "tracing.client_enabled", runtime),
        Share(config.RandomSampling, "tracing.random_sampling", runtime),
        Share(config.OverallSampling, "tracing.global_enabled", runtime));

    public static Sampling Of(
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Tracing config, IRuntime runtime) => new(
        Percent(config.ClientSampling, "tracing.client_enabled", runtime),
        Percent(config.RandomSampling, "tracing.random_sampling", runtime),
        Percent(config.OverallSampling, "tracing.global_enabled", runtime));

    private static FractionalPercent Share(Envoy.Type.V3.FractionalPercent? share, string key, IRuntime runtime) =>
        share is null ? FractionalPercent.Of(10_000, key, runtime) : new FractionalPercent(share, key, runtime);

    private static FractionalPercent Percent(Envoy.Type.V3.Percent? percent, string key, IRuntime runtime) =>
        FractionalPercent.Of(percent is { } given ? (uint)(given.Value * 100) : 10_000, key, runtime);
}
