using System.Collections;
using System.Globalization;

namespace MeshProxy.Agent.Configuration;

/// <summary>The environment as Istio's injector writes it.</summary>
public sealed class AgentEnvironment(IReadOnlyDictionary<string, string> variables)
{
    private readonly IReadOnlyDictionary<string, string> _variables = variables;

    /// <summary>The process's own environment.</summary>
    public static AgentEnvironment Current()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        return new AgentEnvironment(variables);
    }

    public string? Find(string name) => _variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public string Text(string name, string absent = "") => Find(name) ?? absent;

    public bool Flag(string name, bool absent = false) => Find(name) switch
    {
        "true" or "True" or "TRUE" or "t" or "T" or "1" => true,
        null => absent,
        _ => false,
    };

    /// <exception cref="AgentException">It is no number.</exception>
    public int Number(string name, int absent) => Find(name) is not { } text ? absent
        : int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number
        : throw new AgentException($"{name} is \"{text}\", which is no number");

    /// <summary>A duration as Go writes it, such as 5s, 250ms or 1m30s.</summary>
    /// <exception cref="AgentException">It is none.</exception>
    public TimeSpan Duration(string name, TimeSpan absent) => Find(name) is not { } text ? absent
        : GoDuration.TryParse(text, out var duration) ? duration
        : throw new AgentException($"{name} is \"{text}\", which is no duration such as 5s");

    /// <summary>Variables that begin with a prefix, without it, in order of names.</summary>
    public IEnumerable<KeyValuePair<string, string>> StartingWith(string prefix) => _variables
        .Where(variable => variable.Key.StartsWith(prefix, StringComparison.Ordinal) && variable.Key.Length > prefix.Length)
        .Select(variable => KeyValuePair.Create(variable.Key[prefix.Length..], variable.Value))
        .OrderBy(variable => variable.Key, StringComparer.Ordinal);
}
