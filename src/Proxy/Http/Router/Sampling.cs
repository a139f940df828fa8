using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Router;

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
