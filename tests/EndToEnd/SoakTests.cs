using MeshProxy.Demo.Traffic;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>What shows only after a while: `./mesh test --long`.</summary>
[Trait("Category", "Long")]
public sealed class SoakTests
{
    private const int RequestsPerSecond = 2;
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(20);

    // A soak at a low rate with idle gaps between: the connections that are reused after a pause are those that fail.
    [MeshFact]
    public async Task A_quiet_mesh_loses_no_request_in_twenty_minutes()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.WithTwoVersions());
        await using var load = LoadGenerator.Start(
            mesh.HttpClient(Meshes.Caller, "web"), RequestsPerSecond, workers: 4);
        using var limit = new CancellationTokenSource(Length * 2);
        await load.WaitForAnswersAsync((int)Length.TotalSeconds * RequestsPerSecond, limit.Token);
        var figures = await load.StopAsync();
        Assert.True(figures.Failures == 0, $"{figures.Failures} failed; the first: {figures.FirstFailure}");
    }
}
