using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability.Statistics;
using Stats;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Compiles stats.PluginConfig. Filters with the same configuration and direction share one result, and with it its labels.</summary>
internal sealed class IstioStatsCompiler
{
    private const string BuildMetric = "istio_build";

    // PluginConfig.tcp_reporting_duration when it is not set, in Istio's code.
    private static readonly TimeSpan DefaultReportInterval = TimeSpan.FromSeconds(5);

    // PluginConfig.graceful_deletion_interval when it is not set.
    private static readonly TimeSpan DefaultDeletionInterval = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, WeakReference<IstioStatsSettings>> _known = new(StringComparer.Ordinal);

    /// <summary>The one of the server.</summary>
    public static IstioStatsCompiler Of(FactoryContext context) =>
        context.Singletons.Get("istio.stats", static () => new IstioStatsCompiler());

    public IstioStatsSettings Compile(PluginConfig config, FactoryContext context)
    {
        var reporter = ReporterOf(config, context);
        var key = $"{reporter}:{Convert.ToBase64String(config.Message.ToBytes())}";
        if (_known.TryGetValue(key, out var reference) && reference.TryGetTarget(out var known))
        {
            return known;
        }
        foreach (var (dead, _) in _known.Where(entry => !entry.Value.TryGetTarget(out _)).ToArray())
        {
            _known.Remove(dead);
        }
        var made = new Compilation(config, context).Run(reporter);
        _known[key] = new WeakReference<IstioStatsSettings>(made);
        return made;
    }

    // Direction 1 is inbound (core.v3.TrafficDirection).
    private static IstioReporter ReporterOf(PluginConfig config, FactoryContext context) =>
        config.Reporter == global::Stats.Reporter.ServerGateway ? IstioReporter.ServerGateway
        : context.Listener is { Direction: 1 } ? IstioReporter.ServerSidecar
        : IstioReporter.ClientSidecar;

    /// <summary>One configuration being compiled.</summary>
    private sealed class Compilation(PluginConfig config, FactoryContext context)
    {
        private readonly IstioMetrics _metrics = IstioMetrics.Of(context);
        private readonly CelEnvironment _environment = new(context.Node);
        private readonly List<CelExpression> _expressions = [];
        private readonly Dictionary<string, int> _expressionIds = new(StringComparer.Ordinal);
        private readonly HashSet<IstioMetric> _dropped = [];
        private readonly Dictionary<string, Dictionary<int, int>> _overrides = new(StringComparer.Ordinal);
        private readonly Dictionary<string, List<(string, int)>> _additions = new(StringComparer.Ordinal);

        public IstioStatsSettings Run(IstioReporter reporter)
        {
            RecordBuild();
            NoteWithoutEffect();
            if (config.RotationInterval is { Ticks: > 0 } rotation)
            {
                _metrics.ExpireAfter(rotation + (config.GracefulDeletionInterval ?? DefaultDeletionInterval));
            }
            var definitions = ReadDefinitions();
            foreach (var metric in config.Metrics)
            {
                Read(metric, definitions);
            }
            return new IstioStatsSettings
            {
                Metrics = _metrics,
                Reporter = reporter,
                Local = LocalWorkload.ForMetrics(context.Node),
                DisableHostHeaderFallback = config.DisableHostHeaderFallback,
                ReportInterval = config.TcpReportingDuration ?? DefaultReportInterval,
                Plans = [.. Enumerable.Range(0, IstioMetricNames.Count).Select(metric => Plan((IstioMetric)metric))],
                CustomMetrics = [.. definitions.Select(definition => new CustomMetric(
                    Plan(definition.Key, definition.Value.Kind), definition.Value.Expression))],
                Expressions = [.. _expressions],
                Caches = [.. Enumerable.Range(0, context.Workers.Count + 1).Select(_ => new LabelCache())],
            };
        }

        private MetricPlan? Plan(IstioMetric metric) =>
            _dropped.Contains(metric) ? null : Plan(IstioMetricNames.Name(metric), IstioMetricNames.Kind(metric));

        private MetricPlan Plan(string name, StatKind kind) =>
            new(_metrics.Family($"istio_{name}", kind), _overrides.GetValueOrDefault(name) ?? [], _additions.GetValueOrDefault(name) ?? []);

        private Dictionary<string, (int Expression, StatKind Kind)> ReadDefinitions()
        {
            var found = new Dictionary<string, (int, StatKind)>(StringComparer.Ordinal);
            foreach (var definition in config.Definitions)
            {
                if (IstioMetricNames.Find(definition.Name) >= 0)
                {
                    Note($"definitions[{definition.Name}]: a standard metric cannot be defined again");
                }
                else if (Expression(definition.Value) is { } expression)
                {
                    found.TryAdd(definition.Name, (expression, definition.Type switch
                    {
                        global::Stats.MetricType.Gauge => StatKind.Gauge,
                        global::Stats.MetricType.Histogram => StatKind.Histogram,
                        _ => StatKind.Counter,
                    }));
                }
            }
            return found;
        }

        private void Read(MetricConfig metric, Dictionary<string, (int, StatKind)> definitions)
        {
            var standard = IstioMetricNames.Find(metric.Name);
            if (metric.Drop)
            {
                if (standard >= 0)
                {
                    _dropped.Add((IstioMetric)standard);
                }
                return;
            }
            string[] names = metric.Name.Length > 0 ? [metric.Name]
                : [.. Enumerable.Range(0, IstioMetricNames.Count).Select(i => IstioMetricNames.Name((IstioMetric)i)), .. definitions.Keys];
            foreach (var removed in metric.TagsToRemove)
            {
                var tag = IstioTags.Find(removed);
                if (tag < 0)
                {
                    Note($"metrics.tags_to_remove[{removed}]: no standard label");
                    continue;
                }
                foreach (var name in names)
                {
                    Overrides(name)[tag] = MetricPlan.Removed;
                }
            }
            foreach (var (label, text) in metric.Dimensions.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                ReadDimension(label, Expression(text), names, definitions);
            }
        }

        private void ReadDimension(
            string label, int? expression, string[] names, Dictionary<string, (int, StatKind)> definitions)
        {
            var tag = IstioTags.Find(label);
            foreach (var name in names)
            {
                // A metric of the configuration's own has no standard labels to change.
                if (tag >= 0 && !definitions.ContainsKey(name))
                {
                    // A label whose expression cannot be read is left out, as in Istio.
                    Overrides(name)[tag] = expression ?? MetricPlan.Removed;
                }
                else if (expression is { } id)
                {
                    Additions(name).Add((label, id));
                }
            }
        }

        private Dictionary<int, int> Overrides(string metric) =>
            _overrides.TryGetValue(metric, out var known) ? known : _overrides[metric] = [];

        private List<(string, int)> Additions(string metric) =>
            _additions.TryGetValue(metric, out var known) ? known : _additions[metric] = [];

        // Null when it cannot be read: Istio says so in the log and goes on without it.
        private int? Expression(string text)
        {
            if (_expressionIds.TryGetValue(text, out var id))
            {
                return id;
            }
            try
            {
                _expressions.Add(CelExpression.Compile(text, _environment));
                return _expressionIds[text] = _expressions.Count - 1;
            }
            catch (ConfigurationException error)
            {
                Note(error.Message);
                return null;
            }
        }

        private void RecordBuild()
        {
            var version = (context.Node.Metadata ?? Struct.New()).Fields.TryGetValue("ISTIO_VERSION", out var given)
                ? given.StringValue : "";
            KeyValuePair<string, string>[] labels = [new("component", "proxy"), new("tag", IstioLabels.OrUnknown(version))];
            ((StatsScope)context.ServerScope.Scope($"istiocustom.{BuildMetric}"))
                .Gauge(MetricPlan.Text(labels), new StatTags($"istiocustom.{BuildMetric}", labels)).Set(1);
        }

        // What Istio's own filter has had no use for since it is no longer WebAssembly.
        private void NoteWithoutEffect()
        {
            if (config.StatPrefix.Length > 0 || config.FieldSeparator.Length > 0 || config.ValueSeparator.Length > 0
                || config.Debug || config.MaxPeerCacheSize != 0)
            {
                Note("stat_prefix, field_separator, value_separator, debug and max_peer_cache_size have no effect");
            }
            foreach (var metric in config.Metrics)
            {
                if (metric.Match.Length > 0)
                {
                    Note("metrics.match has no effect");
                }
            }
        }

        private void Note(string what) => UnsupportedFeatures.Of(context.Singletons).Note(
            $"{PluginConfig.Descriptor.FullName}: {what}", UnsupportedEffect.Ignored);
    }
}
