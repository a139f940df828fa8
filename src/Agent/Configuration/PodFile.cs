using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration;

/// <summary>A file of the downward API: a line `name="value"` each.</summary>
internal static class PodFile
{
    /// <summary>What it says; nothing when it is not there.</summary>
    public static JsonObject Read(string path)
    {
        var values = new JsonObject();
        if (!File.Exists(path))
            return values;
        foreach (var line in File.ReadLines(path))
        {
            // Kubernetes quotes the value as Go does, which for these characters is JSON's way.
            if (line.IndexOf('=') is var equals and > 0 && JsonNode.Parse(line[(equals + 1)..]) is { } value)
                values[line[..equals]] = value.ToString();
        }
        return values;
    }
}
