using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Templates;

/// <summary>Multus' annotation, a list of names or a JSON array, with the network whose plugin sets our rules.</summary>
internal static class MultusNetworks
{
    private const string Network = "default/istio-cni";

    public static string With(string? present)
    {
        if (string.IsNullOrWhiteSpace(present))
            return Network;
        if (!present.TrimStart().StartsWith('['))
            return present.Split(',').Any(name => name.Trim() == Network) ? present : $"{present}, {Network}";
        // A list that Multus itself could not read is left for it to report.
        if (JsonText.TryParse(present) is not JsonArray list)
            return present;
        if (list.OfType<JsonObject>().Any(entry => entry.Text("name") == "istio-cni" && entry.Text("namespace") is "default"))
            return present;
        list.Add((JsonNode)new JsonObject { ["name"] = "istio-cni", ["namespace"] = "default" });
        return list.Compact();
    }
}
