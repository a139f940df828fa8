using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Action = Envoy.Config.Core.V3.KeyValueAppend.KeyValueAppendAction;
using Config = Envoy.Config.Core.V3.KeyValueMutation;

namespace MeshProxy.Proxy.Http.Filters.HeaderMutation;

/// <summary>Operations on query parameters. The query is rebuilt from its decoded parameters, sorted by name, as Envoy does.</summary>
internal sealed class QueryMutations
{
    public static readonly QueryMutations Empty = new([]);

    private readonly Step[] _steps;

    private QueryMutations(Step[] steps) => _steps = steps;

    public bool IsEmpty => _steps.Length == 0;

    private sealed record Step(string Remove, string Key, HeaderValueFormat? Value, Action Action);

    public static QueryMutations Compile(IReadOnlyList<Config> configs, string field)
    {
        if (configs.Count == 0)
        {
            return Empty;
        }
        var steps = new Step[configs.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            steps[i] = CompileStep(configs[i], $"{field}[{i}]");
        }
        return new QueryMutations(steps);
    }

    public void Apply(SortedDictionary<string, List<string>> parameters, in LogContext context)
    {
        foreach (var step in _steps)
        {
            if (step.Value is null)
            {
                parameters.Remove(step.Remove);
                continue;
            }
            var value = step.Value.Format(context);
            var exists = parameters.TryGetValue(step.Key, out var known);
            switch (step.Action)
            {
                case Action.AddIfAbsent when exists:
                case Action.OverwriteIfExists when !exists:
                    break;
                case Action.AppendIfExistsOrAdd when exists:
                    known!.Add(value);
                    break;
                default:
                    parameters[step.Key] = [value];
                    break;
            }
        }
    }

    private static Step CompileStep(Config config, string field)
    {
        if (config.Append is not { } append)
        {
            return config.Remove.Length > 0
                ? new Step(config.Remove, "", null, default)
                : throw new ConfigurationException($"{field}: neither append nor remove is set; set one.");
        }
        if (append.Record is not { } record || record.Value?.StringValue is not { } value)
        {
            throw new ConfigurationException($"{field}.append.record: a key and a text value are needed; set them.");
        }
        return new Step("", record.Key, HeaderValueFormat.Compile(value, $"{field}.append.record.value"), append.Action);
    }
}
