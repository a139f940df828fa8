using MeshProxy.Demo.Mesh;
using MeshProxy.Demo.Traffic;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>Traffic that is split, and traffic that must not notice what happens to the pods it goes to.</summary>
[Trait("Category", "EndToEnd")]
public sealed class TrafficTests
{
    private const int Rate = 500;

    [MeshFact]
    public async Task Ninety_to_ten_is_kept_within_two_percent()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.WithTwoVersions());
        await using var load = LoadGenerator.Start(mesh.HttpClient(Meshes.Caller, "web"), Rate);
        // One standard deviation of the share is 0.4 % here.
        await load.WaitForAnswersAsync(5000, Limit());
        var figures = await load.StopAsync();
        Assert.Equal(0, figures.Failures);
        Assert.InRange(figures.Share("v2"), 0.08, 0.12);
    }

    [MeshFact]
    public async Task A_backend_that_is_killed_costs_no_request()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.WithTwoVersions());
        await using var load = LoadGenerator.Start(mesh.HttpClient(Meshes.Caller, "web"), Rate);
        await load.WaitForAnswersAsync(1000, Limit());
        await mesh["web-v1-b"].CrashAsync();
        await load.WaitForAnswersAsync(load.Figures.Answers + 2000, Limit());
        var figures = await load.StopAsync();
        Assert.True(figures.Failures == 0, $"{figures.Failures} failed; the first: {figures.FirstFailure}");
    }

    [MeshFact]
    public async Task A_sidecar_that_is_asked_to_end_costs_no_request()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.WithTwoVersions());
        await using var load = LoadGenerator.Start(mesh.HttpClient(Meshes.Caller, "web"), Rate);
        await load.WaitForAnswersAsync(1000, Limit());
        var sidecar = mesh["web-v1-b"].Sidecar!;
        sidecar.Terminate();
        var code = await sidecar.WaitForExitAsync(Limit());
        await load.WaitForAnswersAsync(load.Figures.Answers + 1000, Limit());
        var figures = await load.StopAsync();
        Assert.True(figures.Failures == 0, $"{figures.Failures} failed; the first: {figures.FirstFailure}");
        Assert.Equal(0, code);
    }

    [MeshFact]
    public async Task Other_weights_take_effect_while_traffic_flows()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.WithTwoVersions());
        await using var load = LoadGenerator.Start(mesh.HttpClient(Meshes.Caller, "web"), Rate);
        await load.WaitForAnswersAsync(500, Limit());
        mesh.Apply(mesh.Description with
        {
            Splits = new Dictionary<string, IReadOnlyDictionary<string, int>>
            {
                ["web"] = new Dictionary<string, int> { ["v1"] = 0, ["v2"] = 100 },
            },
        });
        var limit = Limit();
        using var client = mesh.HttpClient(Meshes.Caller, "web");
        // A row of twenty answers by v2 is chance under the old weights once in 10^20.
        for (var row = 0; row < 20;)
        {
            using var answer = await client.GetAsync("/", limit);
            row = answer.Headers.GetValues("x-version").Single() == "v2" ? row + 1 : 0;
        }

        Assert.Equal(0, (await load.StopAsync()).Failures);
    }

    private static CancellationToken Limit() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
}
