using System.Globalization;

namespace MeshProxy.Bench.Load;

/// <summary>One scenario: every peer under the same load in turn, several rounds, and then at a fixed rate.</summary>
internal sealed class ScenarioRun(Options options, Workshop workshop, Report report)
{
    private const double Microseconds = 1e6;

    private readonly Dictionary<PeerKind, Sample> _cpu = [];
    private readonly Dictionary<PeerKind, Sample> _rate = [];
    private readonly Dictionary<PeerKind, double[]> _times = [];
    private readonly Dictionary<PeerKind, string> _refused = [];
    private string? _incomplete;

    public void Run(Scenario scenario)
    {
        report.Heading($"{scenario.Name}: {scenario.Title}");
        using var backend = Backend.Start(workshop);
        var peers = workshop.Peers.Where(kind => workshop.Takes(scenario, kind)).Select(kind => TryStart(scenario, kind, scenario.BackendHttp2 ? backend.Http2Port : backend.Port))
            .OfType<Peer>().ToList();
        try
        {
            Measure(scenario, peers);
        }
        finally
        {
            foreach (var peer in peers) peer.Dispose();
        }
        Print(scenario, peers);
    }

    private Peer? TryStart(Scenario scenario, PeerKind kind, int backend)
    {
        try
        {
            var peer = Peer.Start(workshop, scenario, kind, backend);
            if (kind == PeerKind.MeshProxy) _incomplete = UnsupportedProbe.Ask(peer.AdminPort);
            return peer;
        }
        catch (BenchException refused)
        {
            _refused[kind] = refused.Message;
            return null;
        }
    }

    private void Measure(Scenario scenario, List<Peer> peers)
    {
        foreach (var peer in peers.ToArray())
        {
            // A round that does not count: connections to the backend, buffers, branch predictors.
            Guarded(peers, peer, () => LoadGenerator.Saturate(scenario.Load, peer.Port, options.Connections, options.Seconds));
        }
        for (var round = 0; round < options.Rounds; round++)
        {
            // Each peer is first in some rounds: what else runs on the machine drifts.
            var first = round;
            foreach (var peer in peers.Select((_, i) => peers[(i + first) % peers.Count]).ToArray()) Guarded(peers, peer, () => Round(scenario, peer));
        }
        foreach (var peer in peers.ToArray())
        {
            Guarded(peers, peer, () => _times[peer.Kind] =
                LoadGenerator.Paced(scenario.Load, peer.Port, options.Rate, options.Quick ? 1 : 3, workshop.Folder($"{scenario.Name}/paced.{peer.Kind}")));
        }
    }

    private void Round(Scenario scenario, Peer peer)
    {
        var cpu = peer.CpuSeconds;
        var started = TimeProvider.System.GetTimestamp();
        var requests = LoadGenerator.Saturate(scenario.Load, peer.Port, options.Connections, options.Seconds);
        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Of(_cpu, peer.Kind).Add((peer.CpuSeconds - cpu) * Microseconds / requests);
        Of(_rate, peer.Kind).Add(requests / elapsed);
    }

    private void Guarded(List<Peer> peers, Peer peer, Action measure)
    {
        try
        {
            measure();
        }
        catch (BenchException failed)
        {
            _refused[peer.Kind] = peer.Failure is { } why ? $"{peer.Kind} ended: {why}" : failed.Message;
            peers.Remove(peer);
            peer.Dispose();
        }
    }

    private void Print(Scenario scenario, List<Peer> peers)
    {
        report.Header("peer", "CPU µs per request", $"ratio to {scenario.Against}", "requests/s", $"p50 ms at {options.Rate}/s", "p99 ms");
        foreach (var peer in peers)
        {
            var times = _times.GetValueOrDefault(peer.Kind, []);
            report.Row(peer.Kind.ToString(), Of(_cpu, peer.Kind).Text("0.0"), Ratio(scenario, peer.Kind), Of(_rate, peer.Kind).Text("0"),
                Milliseconds(times, 0.5), Milliseconds(times, 0.99));
        }
        foreach (var (kind, why) in _refused) report.Line($"\n{kind} was not measured: {why}");
        PrintTarget(scenario);
    }

    private void PrintTarget(Scenario scenario)
    {
        if (scenario.Target is not { } target) return;
        var ratio = Ratios(scenario, PeerKind.MeshProxy).Median;
        if (scenario.Captured is not null && _incomplete is { } why) report.Line($"\nTarget: at most {Number(target)} × {scenario.Against}: **not measured**, MeshProxy does less than was asked ({why}).");
        else if (double.IsNaN(ratio)) report.Line($"\nTarget: at most {Number(target)} × {scenario.Against}: not measured.");
        else report.Line($"\nTarget: at most {Number(target)} × {scenario.Against}: {Number(ratio)}, {(ratio <= target ? "kept" : "**missed**")}.");
    }

    private string Ratio(Scenario scenario, PeerKind kind)
    {
        return kind == scenario.Against && Of(_cpu, kind).Count > 0 ? "1" : Ratios(scenario, kind).Text("0.00");
    }

    // Of two peers in the same round: what else ran on the machine then was much the same for both.
    private Sample Ratios(Scenario scenario, PeerKind kind)
    {
        var ratios = new Sample();
        foreach (var (own, other) in Of(_cpu, kind).Values.Zip(Of(_cpu, scenario.Against).Values)) ratios.Add(own / other);
        return ratios;
    }

    private static Sample Of(Dictionary<PeerKind, Sample> samples, PeerKind kind)
    {
        if (!samples.TryGetValue(kind, out var sample)) samples[kind] = sample = new Sample();
        return sample;
    }

    private static string Milliseconds(double[] times, double share) =>
        times.Length == 0 ? "-" : Sample.Percentile(times, share).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
