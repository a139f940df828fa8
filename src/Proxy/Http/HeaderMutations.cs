using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Common.MutationRules.V3.HeaderMutation;

namespace MeshProxy.Proxy.Http;

/// <summary>A list of config.common.mutation_rules.v3.HeaderMutation, done one after another in their order.</summary>
public sealed class HeaderMutations
{
    public static readonly HeaderMutations Empty = new([]);

    private readonly Step[] _steps;

    private HeaderMutations(Step[] steps) => _steps = steps;

    public bool IsEmpty => _steps.Length == 0;

    public static HeaderMutations Compile(IReadOnlyList<Config> configs, string field)
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
        return new HeaderMutations(steps);
    }

    public void Evaluate(HeaderMap headers, in LogContext context)
    {
        foreach (var step in _steps)
        {
            step.Parser?.Evaluate(headers, context);
            if (step.RemoveMatching is { } matcher)
            {
                RemoveMatching(headers, matcher);
            }
        }
    }

    private static void RemoveMatching(HeaderMap headers, StringMatcher matcher)
    {
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var name = headers.Name(i);
            if (name[0] == ':')
            {
                continue;
            }
            if (matcher.Match(name))
            {
                headers.RemoveAt(i);
            }
        }
    }

    private static Step CompileStep(Config config, string field) => config.ActionCase switch
    {
        Config.ActionOneofCase.Append => new Step(HeaderParser.Compile([config.Append!.Value], [], field), null),
        Config.ActionOneofCase.Remove => new Step(HeaderParser.Compile([], [config.Remove], field), null),
        Config.ActionOneofCase.RemoveOnMatchValue when config.RemoveOnMatchValue!.Value.KeyMatcher is { } matcher =>
            new Step(null, StringMatcher.Compile(matcher, $"{field}.remove_on_match.key_matcher")),
        _ => throw new ConfigurationException($"{field}: no action is set; set append, remove or remove_on_match."),
    };

    private sealed record Step(HeaderParser? Parser, StringMatcher? RemoveMatching);
}
