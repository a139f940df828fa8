using System.Text.RegularExpressions;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// Environment for the proxy in the webhook's URL: `/inject/cluster/c1/net/n1/NAME/VALUE`, where a remote cluster's
/// webhook configuration says who is calling. `--slash--` stands for a slash; the old form is `/inject/:ENV:a=b:ENV:c=d`.
/// </summary>
internal static partial class InjectPath
{
    private const string Root = "/inject";
    private const string OldForm = ":ENV:";

    public static bool Matches(string path) =>
        path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    public static Dictionary<string, string> Environment(string path, Action<string> warn)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = path.TrimEnd('/') is { Length: > 8 } trimmed ? trimmed[(Root.Length + 1)..] : "";
        var pairs = rest.StartsWith(OldForm, StringComparison.Ordinal) ? OldPairs(rest) : Pairs(rest, warn);
        foreach (var (key, value) in pairs)
        {
            var name = key switch
            {
                "cluster" => MeshNames.ClusterVariable,
                "net" => MeshNames.NetworkVariable,
                _ => key.ToUpperInvariant(),
            };
            if (VariableName().IsMatch(name))
                environment[name] = value;
            else
                warn($"\"{key}\" in the URL is ignored: it is no name of an environment variable");
        }
        return environment;
    }

    private static IEnumerable<(string, string)> Pairs(string rest, Action<string> warn)
    {
        if (rest.Length == 0)
            yield break;
        var words = rest.Split('/');
        for (var k = 0; k + 1 < words.Length; k += 2)
            yield return (words[k], words[k + 1].Replace("--slash--", "/", StringComparison.Ordinal));
        if (words.Length % 2 != 0)
            warn($"\"{words[^1]}\" in the URL is ignored: no value follows it");
    }

    private static IEnumerable<(string, string)> OldPairs(string rest)
    {
        foreach (var pair in rest.Split(OldForm, StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
                yield return (pair[..equals], pair[(equals + 1)..]);
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_.-]*\z")]
    private static partial Regex VariableName();
}
