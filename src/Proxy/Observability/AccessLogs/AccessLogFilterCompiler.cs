using Envoy.Config.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.Filters.Cel.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Matching.Cel;
using Case = Envoy.Config.Accesslog.V3.AccessLogFilter.FilterSpecifierOneofCase;
using Denominator = Envoy.Type.V3.FractionalPercent.DenominatorType;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>Compiles AccessLogFilter: of access logs and of local-reply mappers.</summary>
public static class AccessLogFilterCompiler
{
    /// <exception cref="ConfigurationException">A filter is incomplete or unknown.</exception>
    public static IAccessLogFilter Compile(AccessLogFilter config, FactoryContext context) =>
        config.FilterSpecifierCase switch
        {
            Case.StatusCodeFilter => new StatusCodeLogFilter(Comparison(config.StatusCodeFilter!.Value.Comparison, context)),
            Case.DurationFilter => new DurationLogFilter(Comparison(config.DurationFilter!.Value.Comparison, context)),
            Case.NotHealthCheckFilter => new NotHealthCheckLogFilter(),
            Case.TraceableFilter => new TraceableLogFilter(),
            Case.RuntimeFilter => Runtime(config.RuntimeFilter!.Value, context),
            Case.AndFilter => Combined(config.AndFilter!.Value.Filters, "and_filter", all: true, context),
            Case.OrFilter => Combined(config.OrFilter!.Value.Filters, "or_filter", all: false, context),
            Case.HeaderFilter => new HeaderLogFilter(HeaderMatcher.Compile(
                config.HeaderFilter!.Value.Header ?? throw Incomplete("header_filter", "header"), "header_filter.header")),
            Case.ResponseFlagFilter => Flags(config.ResponseFlagFilter!.Value),
            Case.GrpcStatusFilter => GrpcStatus(config.GrpcStatusFilter!.Value),
            Case.MetadataFilter => Metadata(config.MetadataFilter!.Value),
            Case.LogTypeFilter => LogType(config.LogTypeFilter!.Value),
            Case.ExtensionFilter => Extension(config.ExtensionFilter!.Value, context),
            _ => throw new ConfigurationException("An access log filter names no kind; set one of its fields."),
        };

    private static Comparison Comparison(ComparisonFilter? config, FactoryContext context)
    {
        if (config is not { Value: { } value } comparison)
        {
            throw Incomplete("comparison", "value");
        }
        return new Comparison(comparison.OpValue, value.DefaultValue, value.RuntimeKey, context.Runtime);
    }

    private static RuntimeLogFilter Runtime(RuntimeFilter config, FactoryContext context)
    {
        var denominator = config.PercentSampled?.Denominator switch
        {
            Denominator.TenThousand => 10_000u,
            Denominator.Million => 1_000_000u,
            _ => 100u,
        };
        return new RuntimeLogFilter(config.RuntimeKey, config.PercentSampled?.Numerator ?? 0, denominator,
            config.UseIndependentRandomness, context.Runtime);
    }

    private static CombinedLogFilter Combined(
        IReadOnlyList<AccessLogFilter> filters, string field, bool all, FactoryContext context)
    {
        if (filters.Count < 2)
        {
            throw new ConfigurationException($"{field} combines {filters.Count} filters, but needs at least two; add one or drop it.");
        }
        return new CombinedLogFilter([.. filters.Select(filter => Compile(filter, context))], all);
    }

    private static ResponseFlagLogFilter Flags(ResponseFlagFilter config)
    {
        var flags = ResponseFlags.None;
        foreach (var name in config.Flags)
        {
            var flag = ResponseFlagNames.Find(name);
            flags |= flag != ResponseFlags.None ? flag : throw new ConfigurationException(
                $"response_flag_filter names the flag '{name}', which is unknown; use the short names of %RESPONSE_FLAGS%.");
        }
        return new ResponseFlagLogFilter(flags);
    }

    private static GrpcStatusLogFilter GrpcStatus(GrpcStatusFilter config)
    {
        var statuses = new HashSet<long>();
        foreach (var status in config.Statuses)
        {
            statuses.Add((long)status);
        }
        return new GrpcStatusLogFilter(statuses, config.Exclude);
    }

    private static MetadataLogFilter Metadata(MetadataFilter config)
    {
        if (config.Matcher is not { Value: { } value } matcher)
        {
            throw Incomplete("metadata_filter", "matcher");
        }
        return new MetadataLogFilter(matcher.Filter, [.. matcher.Path.Select(segment => segment.Key)],
            ValueMatcher.Compile(value, "metadata_filter.matcher.value"), matcher.Invert, config.MatchIfKeyNotFound ?? true);
    }

    private static LogTypeLogFilter LogType(LogTypeFilter config)
    {
        var types = new HashSet<AccessLogType>();
        foreach (var type in config.Types)
        {
            types.Add((AccessLogType)(int)type);
        }
        return new LogTypeLogFilter(types, config.Exclude);
    }

    private static CelLogFilter Extension(ExtensionFilter config, FactoryContext context)
    {
        if (config.TypedConfig is { } typed && typed.TryUnpack<ExpressionFilter>(out var expression))
        {
            return new CelLogFilter(CelExpression.Compile(expression.Expression, CelEnvironment.Of(context.Node, expression.CelConfig)));
        }
        throw new ConfigurationException(
            $"The access log filter '{config.Name}' of type '{config.TypedConfig?.TypeName}' is unknown; use envoy.access_loggers.extension_filters.cel.");
    }

    private static ConfigurationException Incomplete(string filter, string field) =>
        new($"An access log's {filter} has no {field}; set it.");
}
