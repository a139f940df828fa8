using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/stats`, `/stats/prometheus`, `/reset_counters` and what belongs to them.</summary>
/// <param name="store">What is shown.</param>
/// <param name="beforeListing">Brings gauges of the process up to date; with stats_flush_on_admin also flushes histograms.</param>
internal sealed class StatsEndpoints(StatsStore store, Action beforeListing)
{
    private bool _tracksLookups;

    public IEnumerable<AdminEndpoint> All()
    {
        yield return new AdminEndpoint("/stats", "print server stats", false, Stats);
        yield return new AdminEndpoint("/stats/prometheus", "print server stats in prometheus format", false, Prometheus);
        yield return new AdminEndpoint("/reset_counters", "reset all counters to zero", true, _ => Reset());
        yield return new AdminEndpoint("/stats/recentlookups", "Show recent stat-name lookups", false, _ => RecentLookups());
        yield return new AdminEndpoint("/stats/recentlookups/clear", "clear list of stat-name lookups and counter", true, _ => Ok());
        yield return new AdminEndpoint("/stats/recentlookups/enable", "enable recording of reset stat-name lookup names", true, _ =>
        {
            _tracksLookups = true;
            return Ok();
        });
        yield return new AdminEndpoint("/stats/recentlookups/disable", "disable recording of reset stat-name lookup names", true, _ =>
        {
            _tracksLookups = false;
            return Ok();
        });
    }

    private static AdminResponse Ok() => AdminResponse.Text("OK\n");

    private AdminResponse Reset()
    {
        store.ResetCounters();
        return Ok();
    }

    // Names are resolved when configuration is compiled, never on the way of a request: there is nothing to list.
    private AdminResponse RecentLookups() =>
        AdminResponse.Text(_tracksLookups
            ? "   Count Lookup\n\ntotal: 0\n"
            : "Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.\n");

    private AdminResponse Prometheus(AdminQuery query)
    {
        if (BucketMode(query, out var mode) is { } refusal || (refusal = Filter(query, out var filter)) is not null)
        {
            return refusal;
        }
        beforeListing();
        var wanted = new StatQuery(query.Has("usedonly"), filter, kind => kind is not null || query.Has("text_readouts"));
        return PrometheusWriter.Write(store, store.Collect(wanted), summaries: mode == HistogramMode.Summary);
    }

    private AdminResponse Stats(AdminQuery query)
    {
        var format = query.Find("format");
        if (format == "prometheus")
        {
            return Prometheus(query);
        }
        if (format is not (null or "" or "text" or "json" or "html" or "active-html"))
        {
            return AdminResponse.Text("usage: /stats?format=(html|active-html|json|prometheus|text)\n\n", 400);
        }
        if (BucketMode(query, out var mode) is { } refusal || (refusal = Filter(query, out var filter)) is not null)
        {
            return refusal;
        }
        var type = query.Find("type");
        if (type is not (null or "" or "All" or "Counters" or "Gauges" or "Histograms" or "TextReadouts"))
        {
            return AdminResponse.Text($"invalid &type={type}\n", 400);
        }
        beforeListing();
        var stats = store.Collect(new StatQuery(query.Has("usedonly"), filter, kind => Wanted(type, kind)));
        return format switch
        {
            "json" => StatsJsonWriter.Write(store, stats, mode),
            "html" or "active-html" => StatsTextWriter.WriteHtml(store, stats),
            _ => StatsTextWriter.Write(store, stats, mode),
        };
    }

    private static bool Wanted(string? type, StatKind? kind) =>
        type switch
        {
            "Counters" => kind == StatKind.Counter,
            "Gauges" => kind == StatKind.Gauge,
            "Histograms" => kind == StatKind.Histogram,
            "TextReadouts" => kind is null,
            _ => true,
        };

    private static AdminResponse? Filter(AdminQuery query, out IStatNameFilter? filter)
    {
        filter = null;
        if (query.Find("filter") is not { Length: > 0 } pattern)
        {
            return null;
        }
        try
        {
            filter = new NameFilter(Re2Regex.Compile(pattern, "filter"));
            return null;
        }
        catch (ConfigurationException error)
        {
            return AdminResponse.Text($"Invalid re2 regex: {error.Message}\n", 400);
        }
    }

    private static AdminResponse? BucketMode(AdminQuery query, out HistogramMode mode)
    {
        var known = query.Find("histogram_buckets") switch
        {
            null or "" or "none" => HistogramMode.Quantiles,
            "cumulative" => HistogramMode.Cumulative,
            "disjoint" => HistogramMode.Disjoint,
            "detailed" => HistogramMode.Detailed,
            "summary" => HistogramMode.Summary,
            // Native histograms exist in the binary exposition alone, which is not offered: buckets are shown.
            "prometheusnative" => HistogramMode.Quantiles,
            _ => (HistogramMode?)null,
        };
        mode = known ?? HistogramMode.Quantiles;
        return known is null
            ? AdminResponse.Text("usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n", 400)
            : null;
    }

    private sealed class NameFilter(Re2Regex regex) : IStatNameFilter
    {
        // Longer names are rare and cost an allocation.
        private const int StackChars = 512;

        public bool IsMatch(string prefix, string name)
        {
            var length = prefix.Length + name.Length;
            Span<char> whole = length <= StackChars ? stackalloc char[length] : new char[length];
            prefix.CopyTo(whole);
            name.CopyTo(whole[prefix.Length..]);
            return regex.PartialMatch(whole);
        }
    }
}

/// <summary>How histograms are shown.</summary>
internal enum HistogramMode
{
    Quantiles,
    Cumulative,
    Disjoint,
    Detailed,
    Summary,
}
