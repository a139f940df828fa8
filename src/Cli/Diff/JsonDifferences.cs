using System.Text.Json;

namespace MeshProxy.Cli.Diff;

/// <summary>
/// Fields in which two JSON trees differ. Elements of lists are the same when they have the same name (or cluster, domain
/// list, address), else when they stand at the same place.
/// </summary>
internal static class JsonDifferences
{
    public static IReadOnlyList<FieldDifference> Between(JsonElement before, JsonElement after)
    {
        var differences = new List<FieldDifference>();
        Compare(differences, "", before, after);
        return differences;
    }

    private static void Compare(List<FieldDifference> differences, string path, JsonElement before, JsonElement after)
    {
        if (before.ValueKind != after.ValueKind)
        {
            differences.Add(new FieldDifference(path, before.GetRawText(), after.GetRawText()));
        }
        else if (before.ValueKind == JsonValueKind.Object)
        {
            CompareObjects(differences, path, before, after);
        }
        else if (before.ValueKind == JsonValueKind.Array)
        {
            CompareLists(differences, path, before, after);
        }
        else if (before.GetRawText() != after.GetRawText())
        {
            differences.Add(new FieldDifference(path, before.GetRawText(), after.GetRawText()));
        }
    }

    private static void CompareObjects(List<FieldDifference> differences, string path, JsonElement before, JsonElement after)
    {
        foreach (var field in before.EnumerateObject())
        {
            var here = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (after.TryGetProperty(field.Name, out var other))
            {
                Compare(differences, here, field.Value, other);
            }
            else
            {
                differences.Add(new FieldDifference(here, field.Value.GetRawText(), null));
            }
        }
        foreach (var field in after.EnumerateObject())
        {
            if (!before.TryGetProperty(field.Name, out _))
            {
                differences.Add(new FieldDifference(path.Length == 0 ? field.Name : $"{path}.{field.Name}", null, field.Value.GetRawText()));
            }
        }
    }

    private static void CompareLists(List<FieldDifference> differences, string path, JsonElement before, JsonElement after)
    {
        var left = Keyed(before);
        var right = Keyed(after);
        foreach (var (key, element) in left)
        {
            if (right.TryGetValue(key, out var other))
            {
                Compare(differences, $"{path}[{key}]", element, other);
            }
            else
            {
                differences.Add(new FieldDifference($"{path}[{key}]", element.GetRawText(), null));
            }
        }
        foreach (var (key, element) in right)
        {
            if (!left.ContainsKey(key))
            {
                differences.Add(new FieldDifference($"{path}[{key}]", null, element.GetRawText()));
            }
        }
        CompareOrder(differences, path, left, right);
    }

    // Filters and routes are tried in their order.
    private static void CompareOrder(
        List<FieldDifference> differences, string path, Dictionary<string, JsonElement> left, Dictionary<string, JsonElement> right)
    {
        var before = left.Keys.Where(right.ContainsKey).ToList();
        var after = right.Keys.Where(left.ContainsKey).ToList();
        if (!before.SequenceEqual(after))
        {
            differences.Add(new FieldDifference($"{path} (order)", string.Join(", ", before), string.Join(", ", after)));
        }
    }

    private static Dictionary<string, JsonElement> Keyed(JsonElement list)
    {
        var keyed = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var place = 0;
        foreach (var element in list.EnumerateArray())
        {
            var key = KeyOf(element) ?? $"{place}";
            // Two elements of one name are told apart by their place.
            keyed[keyed.ContainsKey(key) ? $"{key} #{place}" : key] = element;
            place++;
        }
        return keyed;
    }

    private static string? KeyOf(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            return element.GetString();
        }
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        foreach (var field in (ReadOnlySpan<string>)["name", "cluster", "key"])
        {
            if (element.TryGetProperty(field, out var name) && name.ValueKind == JsonValueKind.String)
            {
                return name.GetString();
            }
        }
        return element.TryGetProperty("endpoint", out var endpoint) && endpoint.TryGetProperty("address", out var address)
            && address.TryGetProperty("socket_address", out var socket)
            ? $"{Text(socket, "address")}:{Text(socket, "port_value")}" : null;
    }

    private static string Text(JsonElement element, string field) => element.TryGetProperty(field, out var value) ? value.ToString() : "";
}
