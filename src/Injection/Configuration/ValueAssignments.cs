using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>Values given on the command line as `a.b.c=value`, laid over those of a file.</summary>
public static class ValueAssignments
{
    /// <returns>The YAML of the values with the assignments made.</returns>
    /// <exception cref="ManifestException">An assignment is no `name=value`.</exception>
    public static string? Apply(string? yaml, IReadOnlyList<string> assignments, string what)
    {
        if (assignments.Count == 0)
            return yaml;
        var tree = yaml is null ? [] : YamlReader.ReadObject(yaml, what);
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ManifestException($"--set {assignment} is refused: it must be NAME=VALUE, such as global.tag=1.2.3");
            var path = assignment[..equals].Split('.');
            var node = tree;
            foreach (var step in path[..^1])
                node = node.Require(step);
            node[path[^1]] = YamlScalars.Resolve(assignment[(equals + 1)..]);
        }
        return YamlWriter.Write(tree);
    }
}
