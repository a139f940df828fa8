using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>Environment variables of a container.</summary>
internal static class Variables
{
    /// <summary>Gives the variable its value, last in the list, so that it may refer to all others.</summary>
    public static void Set(JsonObject container, string name, string value)
    {
        var list = container.RequireList("env");
        if (container.Named("env", name) is { } present)
            list.Remove(present);
        list.Add((JsonNode)Of(name, value));
    }

    public static JsonObject Of(string name, string value) => new() { ["name"] = name, ["value"] = value };

    public static JsonObject OfField(string name, string path) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["fieldPath"] = path } },
    };

    /// <summary>A limit of the container itself, in whole units.</summary>
    public static JsonObject OfResource(string name, string resource) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject
        {
            ["resourceFieldRef"] = new JsonObject { ["resource"] = resource, ["divisor"] = "1" },
        },
    };
}
