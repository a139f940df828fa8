using System.Diagnostics;
using System.Globalization;
using System.Net;
using MeshProxy.Demo.Mesh;
using MeshProxy.Demo.Network;
using MeshProxy.Demo.Traffic;
using Spectre.Console;

namespace MeshProxy.Demo.Story;

/// <summary>
/// What ./mesh demo shows, act by act. Each act says what it is about, does it, and checks what it claims.
/// </summary>
internal sealed class DemoStory(IAnsiConsole console, string executable)
{
    // Enough requests for the split's error to be well under two percent: 0.5 % at one standard deviation.
    private const int Rate = 500;
    private static readonly TimeSpan SplitTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan FailureTime = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan PolicyLimit = TimeSpan.FromSeconds(5);

    private readonly List<(string Claim, bool Holds)> _claims = [];

    /// <summary>Plays all acts; true when everything claimed was seen.</summary>
    /// <exception cref="CommandFailedException">The mesh did not start.</exception>
    public async Task<bool> PlayAsync(CancellationToken cancellation)
    {
        var capture = ChooseCapture();
        var description = ShopMesh.Build(capture);
        var clock = Stopwatch.StartNew();
        await using var mesh = await RunningMesh.StartAsync(description, executable, cancellation);
        Say($"Ready after {clock.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s: " +
            $"a control plane, {mesh.Pods.Count(p => p.Sidecar is not null)} sidecars.");

        await ShowIdentityAsync(mesh, cancellation);
        await ShowTrafficAsync(mesh, cancellation);
        await ShowPolicyAsync(mesh, cancellation);
        return Conclude();
    }

    private TrafficCapture ChooseCapture()
    {
        Act("A small mesh", """
            Two services, web and reviews; reviews runs in two versions, v1 twice and v2 once. A guest calls too, and a
            stranger stands outside the mesh. Each pod of the mesh has a MeshProxy sidecar; one control plane gives all
            of them routes, endpoints, policies and certificates, over xDS as istiod does.
            """);
        if (Fabric.Possible(out var reason))
        {
            Say("""
                Each pod is a network namespace, and iptables redirects all its traffic into its sidecar: no application
                knows.
                """);
            return TrafficCapture.Redirect;
        }

        Say($"""
            Without redirects this time, because {reason}: pods are addresses of the loopback interface, and
            applications call a port of their sidecar. The rest is the same.
            """);
        return TrafficCapture.None;
    }

    private async Task ShowIdentityAsync(RunningMesh mesh, CancellationToken cancellation)
    {
        Act("Mutual TLS", """
            The applications speak plain HTTP. Between the sidecars it is mutual TLS: reviews is told who called by
            web's certificate, not by an address. Who has no certificate of the mesh is refused.
            """);
        using var client = mesh.HttpClient(ShopMesh.Caller, ShopMesh.Service);
        var identity = await client.GetStringAsync("", cancellation);
        Claim($"reviews sees its caller as {identity}", identity == mesh[ShopMesh.Caller].Workload.Identity);

        var (address, port) = mesh.Endpoint("reviews-v2");
        using var stranger = mesh[ShopMesh.Stranger].HttpClient(address, port);
        Claim(
            $"the stranger, without a certificate, is refused at {address}:{port}",
            await IsCutAsync(stranger, cancellation));
    }

    private async Task ShowTrafficAsync(RunningMesh mesh, CancellationToken cancellation)
    {
        Act("A release, 90 to 10", $"""
            web calls reviews {Rate} times a second. A route gives one request of ten to v2.
            """);
        var view = new TrafficView(console);
        await using var load = LoadGenerator.Start(mesh.HttpClient(ShopMesh.Caller, ShopMesh.Service), Rate);
        await view.ShowAsync(load, SplitTime, cancellation);
        var share = load.Figures.Share("v2");
        Claim($"v2 got {Percent(share)} of the requests", Math.Abs(share - 0.10) < 0.02);

        Act("A backend dies", $"""
            {ShopMesh.Doomed} is killed while it is being called: sidecar and application at once, nobody is told. web's
            sidecar sends the requests it loses to another pod, and stops calling the dead one after a few failures.
            """);
        await mesh[ShopMesh.Doomed].CrashAsync();
        await view.ShowAsync(load, FailureTime, cancellation);
        var figures = await load.StopAsync();
        Claim(
            figures.Failures == 0
                ? $"no request of {figures.Answers} failed"
                : $"no request failed ({figures.Failures} did; the first: {figures.FirstFailure})",
            figures.Failures == 0);
    }

    private async Task ShowPolicyAsync(RunningMesh mesh, CancellationToken cancellation)
    {
        Act("An authorisation policy", """
            A policy is pushed while everything runs: guest may no longer call reviews. web may.
            """);
        using var guest = mesh.HttpClient(ShopMesh.Guest, ShopMesh.Service);
        using var web = mesh.HttpClient(ShopMesh.Caller, ShopMesh.Service);
        Claim("guest may call before the policy", await StatusAsync(guest, cancellation) == HttpStatusCode.OK);
        mesh.Apply(mesh.Description with
        {
            Refusals = new Dictionary<string, IReadOnlyList<Workload>>
            {
                [ShopMesh.Service] = [mesh[ShopMesh.Guest].Workload],
            },
        });
        var clock = Stopwatch.StartNew();
        while (!await IsRefusedThroughoutAsync(guest, cancellation) && clock.Elapsed < PolicyLimit)
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        Claim("guest is refused with 403", await IsRefusedThroughoutAsync(guest, cancellation));
        Claim("web is still answered", await StatusAsync(web, cancellation) == HttpStatusCode.OK);
    }

    // A new policy reaches the pods one by one: only a row of refusals says that all have it.
    private static async Task<bool> IsRefusedThroughoutAsync(HttpClient client, CancellationToken cancellation)
    {
        for (var i = 0; i < 10; i++)
            if (await StatusAsync(client, cancellation) != HttpStatusCode.Forbidden) return false;
        return true;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, CancellationToken cancellation)
    {
        using var answer = await client.GetAsync("", cancellation);
        return answer.StatusCode;
    }

    private static async Task<bool> IsCutAsync(HttpClient client, CancellationToken cancellation)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("http://reviews/"), cancellation);
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    private bool Conclude()
    {
        console.WriteLine();
        var broken = _claims.Count(c => !c.Holds);
        console.MarkupLine(broken == 0
            ? $"[green]All {_claims.Count} claims were seen to hold.[/]"
            : $"[red]{broken} of {_claims.Count} claims did not hold.[/]");
        Say("Everything that was started is being removed.");
        return broken == 0;
    }

    private void Act(string title, string why)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{title}[/]");
        Say(why);
    }

    private void Say(string text) => console.WriteLine(text.ReplaceLineEndings(" ").Trim());

    private void Claim(string claim, bool holds)
    {
        _claims.Add((claim, holds));
        if (holds) console.MarkupLineInterpolated($"  [green]yes[/] {claim}");
        else console.MarkupLineInterpolated($"  [red]NO[/]  {claim}");
    }

    private static string Percent(double part) => (100 * part).ToString("0.0", CultureInfo.InvariantCulture) + " %";
}
