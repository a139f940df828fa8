using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Documents;

/// <summary>
/// Kubernetes' strategic merge patch for pods: maps merge key by key, null deletes, lists of the table merge by their
/// key and every other list is replaced.
/// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
/// </summary>
internal static class StrategicMerge
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string ElementOrder = "$setElementOrder/";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";

    // patchMergeKey of core/v1 types.
    private static readonly Dictionary<string, string> MergeKeys = new(StringComparer.Ordinal)
    {
        ["containers"] = "name",
        ["initContainers"] = "name",
        ["ephemeralContainers"] = "name",
        ["volumes"] = "name",
        ["imagePullSecrets"] = "name",
        ["env"] = "name",
        ["resourceClaims"] = "name",
        ["schedulingGates"] = "name",
        ["volumeMounts"] = "mountPath",
        ["volumeDevices"] = "devicePath",
        ["ports"] = "containerPort",
        ["hostAliases"] = "ip",
        ["topologySpreadConstraints"] = "topologyKey",
        ["ownerReferences"] = "uid",
    };

    // Fields of which a map has one at most. The API server refuses two, so the one that the patch brings replaces the other.
    private static readonly string[] ProbeHandlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    private static readonly string[] LifecycleHandlers = ["exec", "httpGet", "tcpSocket", "sleep"];
    private static readonly string[] EnvironmentSources = ["value", "valueFrom"];

    /// <summary>Merges <paramref name="patch"/> into <paramref name="target"/>.</summary>
    public static void Apply(JsonObject target, JsonObject patch) => MergeMap(target, patch, "");

    private static void MergeMap(JsonObject target, JsonObject patch, string field)
    {
        switch (patch.Text(Directive))
        {
            case "replace":
                target.Clear();
                break;
            case "delete":
                target.Clear();
                return;
        }
        if (patch.List(RetainKeys) is { } retained)
            Retain(target, retained);
        DropAlternatives(target, patch, field);
        foreach (var (name, value) in patch)
        {
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
                DeleteMembers(target, name[DeleteFromList.Length..], value as JsonArray);
            else if (!IsDirective(name))
                MergeField(target, name, value, patch.List(ElementOrder + name));
        }
    }

    private static void MergeField(JsonObject target, string name, JsonNode? value, JsonArray? order)
    {
        switch (value)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject map:
                MergeMap(target.Require(name), map, name);
                if (map.Text(Directive) == "delete")
                    target.Remove(name);
                break;
            case JsonArray list when MergeKeys.TryGetValue(name, out var key):
                MergeList(target.RequireList(name), list, name, key);
                Reorder(target.RequireList(name), order, key);
                break;
            case JsonArray list when name == "finalizers":
                Unite(target.RequireList(name), list);
                break;
            default:
                target[name] = value.DeepClone();
                break;
        }
    }

    private static void MergeList(JsonArray target, JsonArray patch, string field, string key)
    {
        if (patch.OfType<JsonObject>().Any(member => member.Text(Directive) == "replace" && !member.ContainsKey(key)))
            target.Clear();
        // New members go before the present ones, as Kubernetes places them without $setElementOrder.
        var at = 0;
        foreach (var member in patch.OfType<JsonObject>())
        {
            if (member.Text(key) is not { } identity)
                continue;
            var present = target.OfType<JsonObject>().FirstOrDefault(other => other.Text(key) == identity);
            if (member.Text(Directive) == "delete")
            {
                target.Remove(present);
                continue;
            }
            if (present is not null)
            {
                MergeMap(present, member, field);
                continue;
            }
            var added = new JsonObject();
            MergeMap(added, member, field);
            target.Insert(at++, added);
        }
    }

    private static void Reorder(JsonArray list, JsonArray? order, string key)
    {
        if (order is null)
            return;
        var names = order.Select(entry => entry.Text(key) ?? NodeReading.AsText(entry)).ToList();
        var members = list.ToList();
        list.Clear();
        foreach (var member in members.OrderBy(m => names.IndexOf(m.Text(key)) is >= 0 and var at ? at : int.MaxValue))
            list.Add(member);
    }

    private static void Unite(JsonArray target, JsonArray added)
    {
        foreach (var member in added)
        {
            if (!target.Any(present => JsonNode.DeepEquals(present, member)))
                target.Add(member?.DeepClone());
        }
    }

    private static void DeleteMembers(JsonObject target, string name, JsonArray? removed)
    {
        foreach (var member in removed ?? [])
        {
            var present = target.List(name)?.FirstOrDefault(other => JsonNode.DeepEquals(other, member));
            if (present is not null)
                target.List(name)!.Remove(present);
        }
    }

    private static void Retain(JsonObject target, JsonArray retained)
    {
        var names = retained.Select(NodeReading.AsText).ToHashSet(StringComparer.Ordinal);
        foreach (var name in target.Select(entry => entry.Key).Where(name => !names.Contains(name)).ToList())
            target.Remove(name);
    }

    private static void DropAlternatives(JsonObject target, JsonObject patch, string field)
    {
        IEnumerable<string> alternatives = field switch
        {
            "livenessProbe" or "readinessProbe" or "startupProbe" => ProbeHandlers,
            "postStart" or "preStop" => LifecycleHandlers,
            "env" => EnvironmentSources,
            // A volume has one source, each a field of its own beside the name.
            "volumes" => target.Concat(patch).Select(entry => entry.Key).Where(key => key != "name" && !IsDirective(key)),
            _ => [],
        };
        var all = alternatives.ToList();
        if (!all.Exists(name => patch[name] is not null))
            return;
        foreach (var name in all.Where(name => !patch.ContainsKey(name)))
            target.Remove(name);
    }

    private static bool IsDirective(string name) => name.StartsWith('$');
}
