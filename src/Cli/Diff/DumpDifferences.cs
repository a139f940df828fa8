using MeshProxy.Proxy.Explanation;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using System.Text.Json;

namespace MeshProxy.Cli.Diff;

/// <summary>Compares the resources of two dumps by section and name. Versions and times of updates are no difference.</summary>
internal static class DumpDifferences
{
    public static IReadOnlyList<ResourceDifference> Between(ConfigurationDump left, ConfigurationDump right)
    {
        var differences = new List<ResourceDifference>();
        Compare(differences, "bootstrap", Single(left.Bootstrap?.Message), Single(right.Bootstrap?.Message));
        Compare(differences, "listeners", Named(left.Listeners, static one => one.Name), Named(right.Listeners, static one => one.Name));
        Compare(differences, "routes", Named(left.Routes, static one => one.Name), Named(right.Routes, static one => one.Name));
        Compare(differences, "clusters", Named(left.Clusters, static one => one.Name), Named(right.Clusters, static one => one.Name));
        if (left.HasEndpoints && right.HasEndpoints)
        {
            Compare(differences, "endpoints",
                Named(left.Endpoints, static one => one.ClusterName), Named(right.Endpoints, static one => one.ClusterName));
        }
        Compare(differences, "secrets", Named(left.Secrets, static one => one.Name), Named(right.Secrets, static one => one.Name));
        Compare(differences, "ecds", Named(left.Extensions, static one => one.Name), Named(right.Extensions, static one => one.Name));
        return differences;
    }

    private static Dictionary<string, Message> Single(Message? message) =>
        message is null ? [] : new Dictionary<string, Message> { [""] = message };

    private static Dictionary<string, Message> Named<T>(IEnumerable<DumpedResource<T>> resources, Func<T, string> nameOf)
        where T : struct, IMessage<T>
    {
        var named = new Dictionary<string, Message>(StringComparer.Ordinal);
        foreach (var entry in resources.Where(static entry => entry.State != DumpState.Draining))
        {
            // One that warms stands beside the one that serves.
            named[entry.State == DumpState.Warming ? $"{nameOf(entry.Resource)} (warming)" : nameOf(entry.Resource)] = entry.Resource.Message;
        }
        return named;
    }

    private static void Compare(
        List<ResourceDifference> differences, string section, Dictionary<string, Message> left, Dictionary<string, Message> right)
    {
        foreach (var name in left.Keys.Union(right.Keys).Order(StringComparer.Ordinal))
        {
            if (!left.TryGetValue(name, out var before))
            {
                differences.Add(new ResourceDifference(section, name, DifferenceKind.Added, []));
            }
            else if (!right.TryGetValue(name, out var after))
            {
                differences.Add(new ResourceDifference(section, name, DifferenceKind.Removed, []));
            }
            else if (!before.Equals(after))
            {
                differences.Add(new ResourceDifference(section, name, DifferenceKind.Changed, Fields(before, after)));
            }
        }
    }

    private static IReadOnlyList<FieldDifference> Fields(Message before, Message after)
    {
        using var left = JsonDocument.Parse(before.ToJson(JsonWriteOptions.Compact));
        using var right = JsonDocument.Parse(after.ToJson(JsonWriteOptions.Compact));
        return JsonDifferences.Between(left.RootElement, right.RootElement);
    }
}
