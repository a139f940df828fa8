using System.Diagnostics;
using System.Globalization;
using MeshProxy.Demo.Traffic;
using Spectre.Console;

namespace MeshProxy.Demo.Story;

/// <summary>Shows traffic while it flows: a table redrawn on a terminal, a line now and then elsewhere.</summary>
internal sealed class TrafficView(IAnsiConsole console)
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Line = TimeSpan.FromSeconds(2);

    /// <summary>Shows it for this time.</summary>
    public Task ShowAsync(LoadGenerator load, TimeSpan time, CancellationToken cancellation) =>
        console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal
            ? TableAsync(load, time, cancellation)
            : LinesAsync(load, time, cancellation);

    private Task TableAsync(LoadGenerator load, TimeSpan time, CancellationToken cancellation) =>
        console.Live(Table(load.Figures)).StartAsync(async live =>
        {
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed < time)
            {
                await Task.Delay(Redraw, cancellation);
                live.UpdateTarget(Table(load.Figures));
            }
        });

    private async Task LinesAsync(LoadGenerator load, TimeSpan time, CancellationToken cancellation)
    {
        for (var left = time; left > TimeSpan.Zero; left -= Line)
        {
            await Task.Delay(left < Line ? left : Line, cancellation);
            console.WriteLine("  " + Text(load.Figures));
        }
    }

    private static Table Table(TrafficFigures figures)
    {
        var table = new Table().RoundedBorder();
        foreach (var column in (string[])["version", "requests", "share", "p50", "p99"])
            table.AddColumn(column, c => c.Alignment(column == "version" ? Justify.Left : Justify.Right));
        foreach (var v in figures.Versions)
            table.AddRow(v.Version, Number(v.Answers), Percent(v.Share), Milliseconds(v.P50), Milliseconds(v.P99));
        table.AddRow(figures.Failures == 0 ? "failed" : "[red]failed[/]", Number(figures.Failures), "", "", "");
        return table;
    }

    private static string Text(TrafficFigures figures) =>
        string.Join("   ", figures.Versions.Select(Text).Append($"failed: {Number(figures.Failures)}"));

    private static string Text(VersionFigures v) =>
        $"{v.Version}: {Number(v.Answers)} ({Percent(v.Share)}) p50 {Milliseconds(v.P50)} p99 {Milliseconds(v.P99)}";

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double part) => (100 * part).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Milliseconds(TimeSpan time) =>
        time.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture) + " ms";
}
